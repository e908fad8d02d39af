    subgroupMatrixStore<row_major>(&c, at, sum$i_$j, c_row);
