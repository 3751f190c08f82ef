"""The libraries that QEMU needs, for wasm32."""
