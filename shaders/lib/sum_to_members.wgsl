    switch (member) {
#repeat g MEMBERS
      case $gu: {
        subgroupMatrixStore<row_major>(&c$g, at, sum$i_$j, c_row);
      }
#end
      default: {}
    }
