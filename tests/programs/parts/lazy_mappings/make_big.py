"""A file of 24 MiB whose bytes are their offsets modulo 251."""
row = bytes(range(251))
with open("big", "wb") as file:
    file.write((row * ((24 << 20) // 251 + 1))[:24 << 20])
