"""The page as somebody at it feels it, measured in a browser."""
