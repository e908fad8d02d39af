// Element-wise kernels take one element at a time.
alias Element = f32;
