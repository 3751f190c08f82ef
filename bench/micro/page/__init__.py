"""The page as a visitor experiences it, measured in a browser."""
