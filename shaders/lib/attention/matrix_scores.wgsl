// Part of the body of the forward kernel on matrix units: scores = the products of a subgroup's 16 queries
// (query<k>, in registers) and the 32 keys in `stage`.
    {
      var left = subgroup_matrix_result<f32, 16, 16>();
      var right = subgroup_matrix_result<f32, 16, 16>();
#repeat k FD
      left = subgroupMatrixMultiplyAccumulate(
        query$k,
        subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, col_major>(&stage, $ku * 16u, STAGE_STRIDE),
        left,
      );
      right = subgroupMatrixMultiplyAccumulate(
        query$k,
        subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, col_major>(
          &stage,
          16u * STAGE_STRIDE + $ku * 16u,
          STAGE_STRIDE,
        ),
        right,
      );
#endrepeat
      subgroupMatrixStore<row_major>(&scores, own_row * SCORE_STRIDE, left, SCORE_STRIDE);
      subgroupMatrixStore<row_major>(&scores, own_row * SCORE_STRIDE + 16u, right, SCORE_STRIDE);
    }
    workgroupBarrier();
