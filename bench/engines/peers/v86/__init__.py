"""v86, a 32-bit PC as WebAssembly with a JIT of its own."""
