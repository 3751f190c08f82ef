"""Headers of the page's files, for our server and for static hosts."""

from __future__ import annotations

# The page may load only its own files, and compile only WebAssembly at run time. It
# needs no forms, frames or plug-ins.
POLICY = (
    ("default-src", "'none'"),
    ("script-src", "'self' 'wasm-unsafe-eval'"),
    ("style-src", "'self'"),
    ("img-src", "'self'"),
    ("connect-src", "'self'"),
    ("worker-src", "'self'"),
    ("manifest-src", "'self'"),
    ("base-uri", "'none'"),
    ("form-action", "'none'"),
)
# A meta element of the page cannot state this.
FRAMES = ("frame-ancestors", "'none'")

# For shared memory: without these two headers WebAssembly has no threads.
ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}

HASHED = "public, max-age=31536000, immutable"
FRESH = "no-cache"

# A directory with one of these prefixes has a digest of its contents in its name.
HASHED_PREFIXES = (
    "app-", "lib-", "qemu-", "guest-", "site-", "share-", "disk-", "machine-",
)  # fmt: skip

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gz": "application/gzip",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


def policy(*more: tuple[str, str]) -> str:
    """The Content-Security-Policy."""
    return "; ".join(f"{name} {value}" for name, value in (*POLICY, *more))


def common() -> dict[str, str]:
    """The headers of every file."""
    return {
        **ISOLATION,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": policy(FRAMES),
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def is_hashed(path: str) -> bool:
    """Whether the contents at this path never change."""
    return path.startswith(HASHED_PREFIXES)


def content_type(path: str) -> str:
    """The content type, by the file's name."""
    suffix = path[path.rfind(".") :] if "." in path else ""
    return TYPES.get(suffix, "application/octet-stream")


def headers_file() -> str:
    """The file `_headers`, which several static hosts read."""
    rules = ["/*", *(f"  {name}: {value}" for name, value in common().items())]
    for prefix in HASHED_PREFIXES:
        rules += [f"/{prefix}*", f"  Cache-Control: {HASHED}"]
    return "\n".join(rules) + "\n"
