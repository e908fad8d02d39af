// Part of the body of the backward kernels on matrix units: scores = the products of a subgroup's 16 rows
// (row<k>) and the first 32 rows of `stage`, slopes = those of slope<k> and the other 32. Rows are queries
// and output gradients against keys and values for dq, and the reverse for dk and dv.
    {
      var left = subgroup_matrix_result<f32, 16, 16>();
      var right = subgroup_matrix_result<f32, 16, 16>();
      var slope_left = subgroup_matrix_result<f32, 16, 16>();
      var slope_right = subgroup_matrix_result<f32, 16, 16>();
#repeat k FD
      left = subgroupMatrixMultiplyAccumulate(
        row$k,
        subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, col_major>(&stage, $ku * 16u, STAGE_STRIDE),
        left,
      );
      right = subgroupMatrixMultiplyAccumulate(
        row$k,
        subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, col_major>(
          &stage,
          16u * STAGE_STRIDE + $ku * 16u,
          STAGE_STRIDE,
        ),
        right,
      );
      slope_left = subgroupMatrixMultiplyAccumulate(
        slope$k,
        subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, col_major>(
          &stage,
          32u * STAGE_STRIDE + $ku * 16u,
          STAGE_STRIDE,
        ),
        slope_left,
      );
      slope_right = subgroupMatrixMultiplyAccumulate(
        slope$k,
        subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, col_major>(
          &stage,
          48u * STAGE_STRIDE + $ku * 16u,
          STAGE_STRIDE,
        ),
        slope_right,
      );
#endrepeat
      subgroupMatrixStore<row_major>(&scores, own_row * SCORE_STRIDE, left, SCORE_STRIDE);
      subgroupMatrixStore<row_major>(&scores, own_row * SCORE_STRIDE + 16u, right, SCORE_STRIDE);
      subgroupMatrixStore<row_major>(&slopes, own_row * SCORE_STRIDE, slope_left, SCORE_STRIDE);
      subgroupMatrixStore<row_major>(&slopes, own_row * SCORE_STRIDE + 16u, slope_right, SCORE_STRIDE);
    }
    workgroupBarrier();
