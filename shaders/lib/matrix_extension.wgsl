// Subgroup matrices by the name under which the browser has them.
// Constants: MATRIX_EXTENSION: chromium, or draft for the name in WGSL's draft.
#if MATRIX_EXTENSION == draft
enable subgroup_matrix;
#else
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
#endif
