"""What is a matter of choice, and what was chosen. Everything else reads it from here.

ALIGN_CORNERS  whether -1 and 1 are the centres of the corner pixels (True) or the image's outer edges (False)
PADDING        what lies beyond the image: "zeros", or its edge pixels ("border")
KINK           the side of the slope where it jumps: just "right" or just "left" of a coordinate
KERNEL         k of eq. (3): "bilinear" max(0, 1 - |t|), or a smoother one, "smoothstep" or "cosine"
CHANNELS_LAST  whether images are (N, H, W, C) rather than (N, C, H, W)

Coordinates always come in the order x, y.
"""

ALIGN_CORNERS = True
PADDING = "zeros"
KINK = "right"
KERNEL = "bilinear"
CHANNELS_LAST = False
