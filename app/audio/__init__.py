"""Formats, and the one streaming converter from a vendor's bytes to 20 ms mu-law frames."""
