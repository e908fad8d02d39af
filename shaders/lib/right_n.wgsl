      let right$j = subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(&b_tile, $ku * 16u * B_STRIDE + sub_n + $ju * 16u, B_STRIDE);
