  if (ACCUMULATE && SPLIT == 1u && m0 + sub_m + $iu * 16u < M && n0 + sub_n + $ju * 16u < member_n) {
    sum$i_$j = subgroupMatrixLoad<subgroup_matrix_result<f32, 16, 16>, row_major>(&c, origin + (m0 + sub_m + $iu * 16u) * c_row + n0 + sub_n + $ju * 16u, c_row);
  }
