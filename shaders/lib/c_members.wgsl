// Where the results of a group go: to each member's own C. Bindings 10, 11, ...: C_g.
#repeat g MEMBERS
@group(0) @binding(1$g) var<storage, read_write> c$g: array<C>;
#end

fn put(i: u32, value: C) {
  switch (member) {
#repeat g MEMBERS
    case $gu: {
      c$g[i] = value;
    }
#end
    default: {}
  }
}
