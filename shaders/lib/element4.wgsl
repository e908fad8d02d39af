// Element-wise kernels take four elements at a time.
alias Element = vec4f;
