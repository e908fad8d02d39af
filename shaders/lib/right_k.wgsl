      let right$j = subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, col_major>(&b_tile, (sub_n + $ju * 16u) * B_STRIDE + $ku * 16u, B_STRIDE);
