/** The activations of a gated layer, as shaders/lib/elementwise/activation.wgsl has them. */
export type Activation = 'silu' | 'gelu_tanh' | 'relu' | 'sigmoid' | 'identity';
