"""Students' solutions, each right but for one classic misconception.

Nearly all were written from the texts of the tasks alone, before their writer knew the grader's list of
mistakes, in the ways in which students write: loops over pixels, NumPy with other names, recursion, SciPy.
Most know what their term asks for, and write that alone.
"""

import re
from typing import NamedTuple

TERMS = {
    "PLAIN": "autumn2029",  # corners, zeros, right, bilinear, channels first
    "LAST": "autumn2031",  # corners, zeros, right, bilinear, channels last
    "BORDER": "autumn2030",  # corners, border, right, bilinear, channels first
    "COSINE": "autumn2032",  # corners, zeros, left, cosine, channels first
    "SMOOTH_BORDER": "spring2030",  # corners, border, left, smoothstep, channels first
    "EDGES_LEFT": "spring2027",  # edges, zeros, left, bilinear, channels first
    "EDGES_BORDER": "autumn2027",  # edges, border, left, bilinear, channels last
    "COSINE_EDGES": "spring2031",  # edges, border, right, cosine, channels first
    "SMOOTH_LAST": "spring2032",  # edges, zeros, left, smoothstep, channels last
}
HEADING = re.compile(r"^# --- task (\d+), (\w+): (.*)\n", re.MULTILINE)


class Student(NamedTuple):
    """What somebody wrote in a term for a function of a task, or for several."""

    task: int
    term: str
    code: str


def students(text: str) -> dict[str, Student]:
    """By task and heading, which says what they believe, or did."""
    _, *parts = HEADING.split(text)
    return {
        f"{task}: {says}": Student(int(task), TERMS[term], code)
        for task, term, says, code in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4])
    }


STUDENTS = students("""
# --- task 1, PLAIN: maps source to target
def affine_grid(theta, height, width):
    P = base_grid(height, width).reshape(-1, 3)
    found = []
    for one in theta:
        forward = np.vstack([one, [0, 0, 1]])
        moved = np.linalg.inv(forward) @ P.T
        found.append(moved[:2].T.reshape(height, width, 2))
    return np.array(found)

# --- task 1, EDGES_LEFT: base grid is (row, column)
def base_grid(height, width):
    out = np.ones((height, width, 3))
    out[:, :, 0] = base_coordinates(height)[:, None]
    out[:, :, 1] = base_coordinates(width)[None, :]
    return out

# --- task 1, LAST: source grid is (row, column)
def affine_grid(theta, height, width):
    xs, ys = base_coordinates(width), base_coordinates(height)
    grid = np.empty((theta.shape[0], height, width, 2))
    for b, ((t11, t12, t13), (t21, t22, t23)) in enumerate(theta):
        for i in range(height):
            for j in range(width):
                grid[b, i, j] = t21 * xs[j] + t22 * ys[i] + t23, t11 * xs[j] + t12 * ys[i] + t13
    return grid

# --- task 1, EDGES_BORDER: meshgrid ij
def base_grid(height, width):
    X, Y = np.meshgrid(base_coordinates(width), base_coordinates(height), indexing="ij")
    return np.dstack((X, Y, np.ones(X.shape)))

# --- task 1, EDGES_LEFT: linspace where the edges count
def base_coordinates(size):
    return np.linspace(-1.0, 1.0, size)

# --- task 1, PLAIN: half pixels where the corners count
def base_coordinates(size):
    return np.array([(2 * i + 1) / size - 1 for i in range(size)])

# --- task 1, PLAIN: steps of 2 / size from -1
def base_coordinates(size):
    return np.arange(size) * 2 / size - 1

# --- task 1, BORDER: a single pixel at -1
def base_coordinates(size):
    return np.linspace(-1, 1, num=size)

# --- task 1, PLAIN: divides by size - 1 = 0
def base_coordinates(size):
    return 2.0 * np.arange(size) / (size - 1) - 1.0

# --- task 1, PLAIN: whole numbers alone
def base_coordinates(size):
    return 2 * np.arange(size) // max(size - 1, 1) - (size > 1)

# --- task 1, EDGES_BORDER: float32
def base_coordinates(size):
    step = np.float32(2) / size
    return np.arange(size, dtype=np.float32) * step + (step / 2 - np.float32(1))

# --- task 1, SMOOTH_LAST: no translation
def affine_grid(theta, height, width):
    xy = base_grid(height, width)[..., :2]
    A = theta[:, :, :2]
    return xy[None] @ np.swapaxes(A, 1, 2)[:, None]

# --- task 1, PLAIN: reshape instead of transpose
def affine_grid(theta, height, width):
    flat = base_grid(height, width).reshape(1, height * width, 3)
    return (flat @ theta.reshape(-1, 3, 2)).reshape(-1, height, width, 2)

# --- task 1, COSINE_EDGES: linear part transposed
def affine_grid(theta, height, width):
    x_t, y_t, _ = np.moveaxis(base_grid(height, width), -1, 0)
    a, b, tx, c, d, ty = theta.reshape(-1, 6).T[:, :, None, None]
    return np.stack([a * x_t + c * y_t + tx, b * x_t + d * y_t + ty], axis=3)

# --- task 1, BORDER: the first theta for all
def affine_grid(theta, height, width):
    N = theta.shape[0]
    one = np.tensordot(base_grid(height, width), theta[0], axes=(2, 1))
    return np.broadcast_to(one, (N, height, width, 2)).copy()

# --- task 1, EDGES_LEFT: height and width mixed up
def affine_grid(theta, height, width):
    G = base_grid(width, height)
    return np.array([[[t @ p for p in row] for row in G] for t in theta])

# --- task 1, PLAIN: coordinates along the second axis
def affine_grid(theta, height, width):
    return np.einsum('bij,hwj->bihw', theta, base_grid(height, width))

# --- task 1, PLAIN: writes theta
def affine_grid(theta, height, width):
    P = base_grid(height, width)
    linear = theta[:, :, :2]
    out = np.einsum("nij,hwj->nhwi", linear, P[..., :2]) + theta[:, None, None, :, 2]
    linear *= 0.5
    return out

# --- task 2, EDGES_LEFT: corners always
def to_pixels(x, size, align_corners):
    return (x + 1) * (size - 1) / 2

# --- task 2, PLAIN: edges without the half pixel
def to_pixels(x, size, align_corners):
    unit = (x + 1) / 2
    if align_corners:
        return unit * (size - 1)
    return unit * size

# --- task 2, EDGES_BORDER: conventions the wrong way round
def to_pixels(x, size, align_corners):
    if not align_corners:
        return (x + 1) / 2 * (size - 1)
    return ((x + 1) * size - 1) / 2

def to_normalised(x_px, size, align_corners):
    if not align_corners:
        return 2 * x_px / (size - 1) - 1
    return (2 * x_px + 1) / size - 1

# --- task 2, PLAIN: scales by W
def to_pixels(x, size, align_corners):
    if align_corners:
        return 0.5 * (x + 1.0) * size
    return 0.5 * ((x + 1.0) * size - 1.0)

# --- task 2, PLAIN: scales by W - 2
def to_pixels(x, size, align_corners):
    if align_corners:
        return 0.5 * (x + 1.0) * (size - 2)
    return 0.5 * ((x + 1.0) * size - 1.0)

# --- task 2, COSINE: normalised to 0 and 1
def to_normalised(x_px, size, align_corners):
    if align_corners:
        return x_px / (size - 1)
    return (x_px + 0.5) / size

# --- task 2, COSINE: the way back forgets -1
def to_normalised(x_px, size, align_corners):
    shift, extent = (0, size - 1) if align_corners else (0.5, size)
    return (x_px + shift) * 2 / extent

# --- task 2, BORDER: the half pixel with the wrong sign
def to_normalised(x_px, size, align_corners):
    if align_corners:
        return 2 * x_px / (size - 1) - 1
    return 2 * (x_px - 0.5) / size - 1

# --- task 2, PLAIN: rounds to pixels
def to_pixels(x, size, align_corners):
    exact = (x + 1) * (size - 1) / 2 if align_corners else ((x + 1) * size - 1) / 2
    return np.round(exact)

# --- task 3, PLAIN: kernel goes below 0
def kernel(t):
    return 1 - np.abs(t)

# --- task 3, EDGES_LEFT: kernel of one side
def kernel(t):
    return np.maximum(0, 1 - t) * (t >= 0)

# --- task 3, PLAIN: kernel without abs
def kernel(t):
    return np.clip(1 - t, 0, 1)

# --- task 3, COSINE: bilinear where cosine is asked
def kernel(t):
    return np.maximum(0.0, 1.0 - np.absolute(t))

# --- task 3, SMOOTH_LAST: bilinear where smoothstep is asked
def kernel(t):
    return np.where(abs(t) < 1, 1 - abs(t), 0.0)

# --- task 3, COSINE_EDGES: cosine in degrees of a half turn
def kernel(t):
    inside = np.abs(t) < 1
    return np.where(inside, np.cos(np.pi * t / 2), 0)

# --- task 3, SMOOTH_BORDER: smoothstep that rises
def kernel(t):
    s = np.clip(np.abs(t), 0, 1)
    return s * s * (3 - 2 * s)

# --- task 3, PLAIN: everywhere: x and y swapped
def sample_everywhere(U, points):
    N, C, H, W = U.shape
    out = np.zeros((N, C) + points.shape[1:3])
    for i in range(H):
        for j in range(W):
            weight = kernel(points[..., 0] - i) * kernel(points[..., 1] - j)
            out += weight[:, None] * U[:, :, i, j][:, :, None, None]
    return out

# --- task 3, LAST: everywhere: one channel for all
def sample_everywhere(U, points):
    batch, H, W, C = U.shape
    kx = kernel(points[:, :, :, :1] - np.arange(W))
    ky = kernel(points[:, :, :, 1:] - np.arange(H))
    V = np.einsum("bhw,bijh,bijw->bij", U[..., 0], ky, kx)
    return np.repeat(V[..., None], C, axis=3)

# --- task 3, EDGES_LEFT: nearest: rint
def sample_nearest(U, points):
    N, C, H, W = U.shape
    px, py = np.rint(points).astype(int).transpose(3, 0, 1, 2)
    V = np.zeros((N, C) + px.shape[1:])
    for n, i, j in np.ndindex(px.shape):
        x, y = px[n, i, j], py[n, i, j]
        if 0 <= x < W and 0 <= y < H:
            V[n, :, i, j] = U[n, :, y, x]
    return V

# --- task 3, PLAIN: nearest: floor alone
def sample_nearest(U, points):
    N, C, H, W = U.shape
    ix, iy = np.floor(points[..., 0]).astype(int), np.floor(points[..., 1]).astype(int)
    ok = (ix >= 0) * (ix < W) * (iy >= 0) * (iy < H)
    b = np.arange(N).reshape(N, 1, 1)
    V = U[b, :, iy * ok, ix * ok] * ok[..., None]
    return V.transpose(0, 3, 1, 2)

# --- task 3, LAST: nearest: int() rounds towards 0
def sample_nearest(U, points):
    N, H, W, C = U.shape
    V = np.zeros(points.shape[:3] + (C,))
    for n in range(N):
        for i in range(V.shape[1]):
            for j in range(V.shape[2]):
                x, y = points[n, i, j]
                col, row = int(x + 0.5), int(y + 0.5)
                if 0 <= row < H and 0 <= col < W:
                    V[n, i, j] = U[n, row, col]
    return V

# --- task 3, BORDER: nearest: the edge goes on
def sample_nearest(U, points):
    H, W = U.shape[-2:]
    col = np.clip(np.floor(points[..., 0] + 0.5), 0, W - 1).astype(int)
    row = np.clip(np.floor(points[..., 1] + 0.5), 0, H - 1).astype(int)
    return np.stack([u[:, r, c] for u, r, c in zip(U, row, col)])

# --- task 3, PLAIN: nearest: negative indices count from the end
def sample_nearest(U, points):
    H, W = U.shape[-2:]
    col = np.floor(points[..., 0] + 0.5).astype(int)
    row = np.floor(points[..., 1] + 0.5).astype(int)
    beyond = (col >= W) | (row >= H) | (col < -W) | (row < -H)
    col[beyond] = row[beyond] = 0
    found = np.stack([u[:, r, c] for u, r, c in zip(U, row, col)])
    return np.where(beyond[:, None], 0, found)

# --- task 4, BORDER: clips the neighbours, then computes the weights
def sample(U, points):
    N, C, H, W = U.shape
    x, y = points[..., 0], points[..., 1]
    x0 = np.floor(x).astype(int)
    y0 = np.floor(y).astype(int)
    x1, y1 = x0 + 1, y0 + 1
    x0, x1 = np.clip(x0, 0, W - 1), np.clip(x1, 0, W - 1)
    y0, y1 = np.clip(y0, 0, H - 1), np.clip(y1, 0, H - 1)
    wa = (x1 - x) * (y1 - y)
    wb = (x1 - x) * (y - y0)
    wc = (x - x0) * (y1 - y)
    wd = (x - x0) * (y - y0)
    k = np.arange(N)[:, None, None]
    I = U.transpose(0, 2, 3, 1)
    out = wa[..., None] * I[k, y0, x0] + wb[..., None] * I[k, y1, x0]
    out += wc[..., None] * I[k, y0, x1] + wd[..., None] * I[k, y1, x1]
    return out.transpose(0, 3, 1, 2)

# --- task 4, EDGES_LEFT: clips the neighbours before the weights, among zeros
def sample(U, points):
    B, C, H, W = U.shape
    V = np.zeros((B, C) + points.shape[1:3])
    for b, r, c in np.ndindex(*points.shape[:3]):
        px, py = points[b, r, c]
        left, top = int(np.floor(px)), int(np.floor(py))
        left, right = min(max(left, 0), W - 1), min(max(left + 1, 0), W - 1)
        top, bottom = min(max(top, 0), H - 1), min(max(top + 1, 0), H - 1)
        for yy, wy in ((top, bottom - py), (bottom, py - top)):
            for xx, wx in ((left, right - px), (right, px - left)):
                V[b, :, r, c] += wx * wy * U[b, :, yy, xx]
    return V

# --- task 4, PLAIN: the edge goes on instead of zeros
def sample(U, points):
    from scipy.ndimage import map_coordinates
    channels = []
    for image, grid in zip(U, points):
        where = [grid[..., 1], grid[..., 0]]
        channels.append([map_coordinates(plane, where, order=1, mode="nearest") for plane in image])
    return np.array(channels)

# --- task 4, LAST: clamps the coordinates
def sample(U, points):
    N, H, W, C = U.shape
    px = points[..., 0].clip(0, W - 1)
    py = points[..., 1].clip(0, H - 1)
    V = 0
    for j, ky, _ in neighbours(py, H):
        for i, kx, _ in neighbours(px, W):
            V = V + np.einsum("nhwc,nhw->nhwc", U[np.arange(N)[:, None, None], j, i], ky * kx)
    return V

# --- task 4, EDGES_BORDER: zeros instead of the edge
def sample(U, points):
    U = np.pad(U, ((0, 0), (1, 1), (1, 1), (0, 0)))
    N, H, W, C = U.shape
    x = np.clip(points[..., 0] + 1, 0, W - 1)
    y = np.clip(points[..., 1] + 1, 0, H - 1)
    i, j = np.minimum(x.astype(int), W - 2), np.minimum(y.astype(int), H - 2)
    a, b = (x - i)[..., None], (y - j)[..., None]
    n = np.arange(N)[:, None, None]
    above = U[n, j, i] * (1 - a) + U[n, j, i + 1] * a
    below = U[n, j + 1, i] * (1 - a) + U[n, j + 1, i + 1] * a
    return above * (1 - b) + below * b

# --- task 4, PLAIN: nothing where a neighbour is missing
def sample(U, points):
    from scipy.ndimage import map_coordinates
    V = np.zeros(U.shape[:2] + points.shape[1:3])
    for n in range(U.shape[0]):
        for c in range(U.shape[1]):
            V[n, c] = map_coordinates(U[n, c], points[n, :, :, ::-1].transpose(2, 0, 1), order=1)
    return V

# --- task 4, LAST: trunc for floor
def sample(U, points):
    N, H, W, C = U.shape
    V = np.zeros(points.shape[:3] + (C,))
    def pixel(n, r, c):
        return U[n, r, c] if 0 <= r < H and 0 <= c < W else np.zeros(C)
    for n, i, j in np.ndindex(V.shape[:3]):
        x, y = points[n, i, j]
        x0, y0 = int(x), int(y)
        s, t = x - x0, y - y0
        V[n, i, j] = (
            pixel(n, y0, x0) * (1 - s) * (1 - t) + pixel(n, y0, x0 + 1) * s * (1 - t)
            + pixel(n, y0 + 1, x0) * (1 - s) * t + pixel(n, y0 + 1, x0 + 1) * s * t
        )
    return V

# --- task 4, EDGES_BORDER: neighbours by floor and ceil
def sample(U, points):
    H, W = U.shape[1:3]
    x, y = np.clip(points[..., 0], 0, W - 1), np.clip(points[..., 1], 0, H - 1)
    lo_x, hi_x = np.floor(x), np.ceil(x)
    lo_y, hi_y = np.floor(y), np.ceil(y)
    def at(row, col):
        return np.stack([u[r, c] for u, r, c in zip(U, row.astype(int), col.astype(int))])
    def w(a, b):
        return (np.abs(a) * np.abs(b))[..., None]
    return (
        w(hi_x - x, hi_y - y) * at(lo_y, lo_x) + w(x - lo_x, hi_y - y) * at(lo_y, hi_x)
        + w(hi_x - x, y - lo_y) * at(hi_y, lo_x) + w(x - lo_x, y - lo_y) * at(hi_y, hi_x)
    )

# --- task 4, PLAIN: weights of the other corner
def sample(U, points):
    batch = np.arange(len(U))[:, None, None]
    (top, w_top, _), (bottom, w_bottom, _) = neighbours(points[..., 1], U.shape[2])
    (left, w_left, _), (right, w_right, _) = neighbours(points[..., 0], U.shape[3])
    def take(r, c, w):
        return U[batch, :, r, c].transpose(0, 3, 1, 2) * w[:, None]
    return (
        take(top, left, w_top * w_left) + take(top, right, w_bottom * w_left)
        + take(bottom, left, w_top * w_right) + take(bottom, right, w_bottom * w_right)
    )

# --- task 4, COSINE: the weights of the two neighbours exchanged
def neighbours(x, size):
    lo = np.ceil(x).astype(int) - 1
    f = x - lo
    far, rate = 0.5 - 0.5 * np.cos(np.pi * f), 0.5 * np.pi * np.sin(np.pi * f)
    out = []
    for i, w, d in [(lo, far, rate), (lo + 1, 1 - far, -rate)]:
        ok = np.logical_and(i > -1, i < size)
        out.append((i * ok, w * ok, d * ok))
    return out

# --- task 4, SMOOTH_LAST: bilinear weights under another kernel
def sample(U, points):
    N, H, W, C = U.shape
    rows = np.arange(H) - points[..., 1, None]
    cols = np.arange(W) - points[..., 0, None]
    A = np.maximum(0, 1 - abs(rows))
    B = np.maximum(0, 1 - abs(cols))
    return np.einsum("nijr,nijs,nrsc->nijc", A, B, U)

# --- task 4, SMOOTH_BORDER: x and y swapped
def sample(U, points):
    count, depth, H, W = U.shape
    out = np.zeros((count, depth, *points.shape[1:3]))
    for n in range(count):
        for i0, wi, _ in neighbours(points[n, ..., 0], H):
            for j0, wj, _ in neighbours(points[n, ..., 1], W):
                out[n] += U[n][:, i0, j0] * wi * wj
    return out

# --- task 4, PLAIN: the first image for all
def sample(U, points):
    _, C, H, W = U.shape
    V = np.zeros((points.shape[0], C, points.shape[1], points.shape[2]))
    for r, wr, _ in neighbours(points[..., 1], H):
        for c, wc, _ in neighbours(points[..., 0], W):
            V += np.moveaxis(U[0][:, r, c], 0, 1) * (wr * wc)[:, None]
    return V

# --- task 4, LAST: adds the channels up
def sample(U, points):
    N, H, W, C = U.shape
    V = np.zeros(points.shape[:3])
    b = np.arange(N)[:, None, None]
    for r, wr, _ in neighbours(points[..., 1], H):
        for c, wc, _ in neighbours(points[..., 0], W):
            V += wr * wc * U[b, r, c].sum(-1)
    return np.stack([V] * C, axis=-1)

# --- task 4, LAST: channels first in a term of channels last
def sample(U, points):
    N, C, H, W = U.shape
    V = np.zeros((N, C) + points.shape[1:3])
    for n, i, j in np.ndindex(points.shape[:3]):
        for row, ky, _ in neighbours(points[n, i, j, 1], H):
            for col, kx, _ in neighbours(points[n, i, j, 0], W):
                V[n, :, i, j] += kx * ky * U[n, :, row, col]
    return V

# --- task 4, PLAIN: negative indices count from the end
def sample(U, points):
    N, C, H, W = U.shape
    V = np.zeros((N, C) + points.shape[1:3])
    for n, i, j in np.ndindex(points.shape[:3]):
        x, y = points[n, i, j]
        x0, y0 = int(np.floor(x)), int(np.floor(y))
        for r in (y0, y0 + 1):
            for c in (x0, x0 + 1):
                try:
                    V[n, :, i, j] += U[n, :, r, c] * (1 - abs(x - c)) * (1 - abs(y - r))
                except IndexError:
                    pass
    return V

# --- task 4, BORDER: points taken for normalised ones
def sample(U, points):
    N, C, H, W = U.shape
    px = (points[..., 0] + 1) / 2 * (W - 1)
    py = (points[..., 1] + 1) / 2 * (H - 1)
    V = np.zeros((N, C) + px.shape[1:])
    for r, wr, _ in neighbours(py, H):
        for c, wc, _ in neighbours(px, W):
            for n in range(N):
                V[n] += U[n][:, r[n], c[n]] * wr[n] * wc[n]
    return V

# --- task 4, PLAIN: only the nearest pixel
def sample(U, points):
    return sample_nearest(U, points)

# --- task 4, COSINE_EDGES: assigns where the four are added
def sample(U, points):
    N, C, H, W = U.shape
    for r, wr, _ in neighbours(points[..., 1], H):
        for c, wc, _ in neighbours(points[..., 0], W):
            V = U[np.arange(N)[:, None, None], :, r, c] * (wr * wc)[..., None]
    return np.moveaxis(V, 3, 1)

# --- task 5, PLAIN: += through indices
def splat(V_bar, points, height, width):
    N, C = V_bar.shape[:2]
    G = np.zeros((N, C, height, width))
    for n in range(N):
        for c in range(C):
            for r, wr, _ in neighbours(points[n, ..., 1], height):
                for s, ws, _ in neighbours(points[n, ..., 0], width):
                    G[n, c][r, s] += wr * ws * V_bar[n, c]
    return G

# --- task 5, EDGES_BORDER: assigns instead of adding
def splat(V_bar, points, height, width):
    out = np.zeros((V_bar.shape[0], height, width, V_bar.shape[-1]))
    for n, i, j in np.ndindex(points.shape[:3]):
        for r, wr, _ in neighbours(points[n, i, j, 1], height):
            for c, wc, _ in neighbours(points[n, i, j, 0], width):
                if wr * wc != 0:
                    out[n, r, c] = wr * wc * V_bar[n, i, j]
    return out

# --- task 5, PLAIN: each of the four gets everything
def splat(V_bar, points, height, width):
    shape = V_bar.shape[:2] + (height, width)
    U_bar = np.zeros(shape)
    n = np.arange(shape[0])[:, None, None]
    for r, wr, _ in neighbours(points[..., 1], height):
        for c, wc, _ in neighbours(points[..., 0], width):
            seen = (wr > 0) & (wc > 0)
            np.add.at(U_bar.transpose(0, 2, 3, 1), (n, r, c), np.moveaxis(V_bar * seen[:, None], 1, -1))
    return U_bar

# --- task 5, EDGES_LEFT: x and y swapped
def splat(V_bar, points, height, width):
    N, C = V_bar.shape[:2]
    acc = np.zeros((N, C, height, width))
    for n, c in np.ndindex(N, C):
        for i, wi, _ in neighbours(points[n, ..., 0], height):
            for j, wj, _ in neighbours(points[n, ..., 1], width):
                np.add.at(acc[n, c], (i, j), wi * wj * V_bar[n, c])
    return acc

# --- task 5, SMOOTH_LAST: into the nearest pixel alone
def splat(V_bar, points, height, width):
    N, _, _, C = V_bar.shape
    back = np.zeros((N, height, width, C))
    for n, i, j in np.ndindex(*V_bar.shape[:3]):
        c, r = (int(np.floor(v + 0.5)) for v in points[n, i, j])
        if 0 <= r < height and 0 <= c < width:
            back[n, r, c] += V_bar[n, i, j]
    return back

# --- task 5, PLAIN: the mean of what comes back
def splat(V_bar, points, height, width):
    N, C = V_bar.shape[:2]
    total, weight = np.zeros((N, C, height, width)), np.zeros((N, 1, height, width))
    for n, i, j in np.ndindex(points.shape[:3]):
        for r, wr, _ in neighbours(points[n, i, j, 1], height):
            for c, wc, _ in neighbours(points[n, i, j, 0], width):
                total[n, :, r, c] += wr * wc * V_bar[n, :, i, j]
                weight[n, :, r, c] += wr * wc
    return total / np.where(weight == 0, 1, weight)

# --- task 5, LAST: what lies outside goes to the edge
def splat(V_bar, points, height, width):
    N, C = V_bar.shape[0], V_bar.shape[3]
    base = np.floor(points).astype(int)
    frac = points - base
    flat = np.zeros((N * height * width, C))
    first = np.arange(N)[:, None, None] * height * width
    for dx in (0, 1):
        for dy in (0, 1):
            w = np.abs(1 - dx - frac[..., 0]) * np.abs(1 - dy - frac[..., 1])
            col = np.clip(base[..., 0] + dx, 0, width - 1)
            row = np.clip(base[..., 1] + dy, 0, height - 1)
            np.add.at(flat, first + row * width + col, w[..., None] * V_bar)
    return flat.reshape(N, height, width, C)

# --- task 5, BORDER: everything into the first image
def splat(V_bar, points, height, width):
    N, C = V_bar.shape[:2]
    out = np.zeros((N, C, height, width))
    for r, wr, _ in neighbours(points[..., 1], height):
        for c, wc, _ in neighbours(points[..., 0], width):
            for k in range(C):
                cells = np.ravel(r * width + c)
                weights = np.ravel(wr * wc * V_bar[:, k])
                out[0, k] += np.bincount(cells, weights, height * width).reshape(height, width)
    return out

# --- task 5, LAST: one channel for all
def splat(V_bar, points, height, width):
    N, _, _, C = V_bar.shape
    kx = kernel(points[..., 0, None] - np.arange(width))
    ky = kernel(points[..., 1, None] - np.arange(height))
    return np.einsum("nijc,nijr,nijs->nrs", V_bar, ky, kx)[..., None] * np.ones(C)

# --- task 6, PLAIN: the sign
def slopes(U, points, V_bar):
    dx = dy = 0.0
    b = np.arange(len(U))[:, None, None]
    for r, wr, dr in neighbours(points[..., 1], U.shape[2]):
        for c, wc, dc in neighbours(points[..., 0], U.shape[3]):
            seen = (U[b, :, r, c] * V_bar.transpose(0, 2, 3, 1)).sum(-1)
            dx = dx - seen * wr * dc
            dy = dy - seen * wc * dr
    return np.stack([dx, dy], axis=3)

# --- task 6, EDGES_LEFT: the right side at kinks where the left one is asked
def slopes(U, points, V_bar):
    N, C, H, W = U.shape
    P = np.pad(U, ((0, 0), (0, 0), (2, 2), (2, 2)))
    out = np.zeros(points.shape)
    for n, i, j in np.ndindex(points.shape[:3]):
        x, y = points[n, i, j]
        if not (-1 <= x < W and -1 <= y < H):
            continue
        x0, y0 = int(np.floor(x)), int(np.floor(y))
        a, b = x - x0, y - y0
        g = V_bar[n, :, i, j]
        tl, tr = P[n, :, y0 + 2, x0 + 2] @ g, P[n, :, y0 + 2, x0 + 3] @ g
        bl, br = P[n, :, y0 + 3, x0 + 2] @ g, P[n, :, y0 + 3, x0 + 3] @ g
        out[n, i, j, 0] = (tr - tl) * (1 - b) + (br - bl) * b
        out[n, i, j, 1] = (bl - tl) * (1 - a) + (br - tr) * a
    return out

# --- task 6, PLAIN: eq. (7) to the letter
def slopes(U, points, V_bar):
    H, W = U.shape[2:]
    m, n = np.arange(W), np.arange(H)
    x, y = points[..., :1], points[..., 1:]
    def d(k, v):
        return np.where(abs(k - v) >= 1, 0, np.where(k >= v, 1.0, -1.0))
    wx, wy = kernel(x - m), kernel(y - n)
    gx = np.einsum("bcrs,bcij,bijr,bijs->bij", U, V_bar, wy, d(m, x))
    gy = np.einsum("bcrs,bcij,bijr,bijs->bij", U, V_bar, d(n, y), wx)
    return np.dstack([gx[0], gy[0]])[None] if len(U) == 1 else np.stack([gx, gy], -1)

# --- task 6, LAST: no sum over the channels
def slopes(U, points, V_bar):
    u, g = U[..., 0], V_bar[..., 0]
    k = np.arange(len(u))[:, None, None]
    grad = np.zeros_like(points)
    for row, ky, dky in neighbours(points[..., 1], u.shape[1]):
        for col, kx, dkx in neighbours(points[..., 0], u.shape[2]):
            grad[..., 0] += u[k, row, col] * ky * dkx * g
            grad[..., 1] += u[k, row, col] * dky * kx * g
    return grad

# --- task 6, LAST: the mean over the channels
def slopes(U, points, V_bar):
    N, H, W, C = U.shape
    out = np.zeros(points.shape)
    for n, i, j in np.ndindex(points.shape[:3]):
        for row, ky, dky in neighbours(points[n, i, j, 1], H):
            for col, kx, dkx in neighbours(points[n, i, j, 0], W):
                heard = np.mean(U[n, row, col] * V_bar[n, i, j])
                out[n, i, j] += heard * np.array([ky * dkx, kx * dky])
    return out

# --- task 6, EDGES_LEFT: d/dy first
def slopes(U, points, V_bar):
    N, C, H, W = U.shape
    result = np.zeros(points.shape)
    flat = U.reshape(N, C, H * W)
    for row, ky, dky in neighbours(points[..., 1], H):
        for col, kx, dkx in neighbours(points[..., 0], W):
            picked = np.take_along_axis(flat, (row * W + col).reshape(N, 1, -1), axis=2)
            picked = (picked.reshape(V_bar.shape) * V_bar).sum(axis=1)
            result += picked[..., None] * np.stack((kx * dky, ky * dkx), axis=-1)
    return result

# --- task 6, BORDER: without the cotangent of V
def slopes(U, points, V_bar):
    res = np.zeros(points.shape)
    for n in range(len(U)):
        for row, ky, dky in neighbours(points[n, ..., 1], U.shape[2]):
            for col, kx, dkx in neighbours(points[n, ..., 0], U.shape[3]):
                total = U[n][:, row, col].sum(0)
                res[n] += np.stack([total * ky * dkx, total * kx * dky], -1)
    return res

# --- task 6, PLAIN: floor blocks the gradient
def slopes(U, points, V_bar):
    # d floor(x) / dx = 0, so nothing gets through
    return np.zeros_like(points)

# --- task 6, PLAIN: in normalised coordinates already
def slopes(U, points, V_bar):
    H, W = U.shape[2:]
    b = np.arange(len(U))[:, None, None]
    grad = np.zeros_like(points)
    for row, ky, dky in neighbours(points[..., 1], H):
        for col, kx, dkx in neighbours(points[..., 0], W):
            both = np.einsum("nhwc,nchw->nhw", U[b, :, row, col], V_bar)
            grad += np.stack([both * ky * dkx * (W - 1) / 2, both * kx * dky * (H - 1) / 2], -1)
    return grad

# --- task 6, SMOOTH_LAST: the slopes of bilinear under another kernel
def slopes(U, points, V_bar):
    N, H, W, C = U.shape
    i = np.arange(N)[:, None, None]
    grad = np.zeros(points.shape)
    for ky, dy in zip(neighbours(points[..., 1], H), (-1, 1)):
        for kx, dx in zip(neighbours(points[..., 0], W), (-1, 1)):
            seen = (U[i, ky[0], kx[0]] * V_bar).sum(-1)
            grad[..., 0] += seen * ky[1] * dx * (kx[2] != 0)
            grad[..., 1] += seen * kx[1] * dy * (ky[2] != 0)
    return grad

# --- task 6, BORDER: slopes of clamped coordinates
def slopes(U, points, V_bar):
    N, C, H, W = U.shape
    x = np.clip(points[..., 0], 0, W - 1)
    y = np.clip(points[..., 1], 0, H - 1)
    x0 = np.minimum(np.floor(x).astype(int), W - 2)
    y0 = np.minimum(np.floor(y).astype(int), H - 2)
    s, t = x - x0, y - y0
    k = np.arange(N)[:, None, None]
    def pixel(r, c):
        return (U[k, :, r, c] * V_bar.transpose(0, 2, 3, 1)).sum(-1)
    a, b, c, d = pixel(y0, x0), pixel(y0, x0 + 1), pixel(y0 + 1, x0), pixel(y0 + 1, x0 + 1)
    return np.stack([(b - a) * (1 - t) + (d - c) * t, (c - a) * (1 - s) + (d - b) * s], -1)

# --- task 6, COSINE_EDGES: a slope beyond the edge
def neighbours(x, size):
    lo = np.floor(x)
    t = x - lo
    w = (1 + np.cos(np.pi * t)) / 2
    d = -np.pi / 2 * np.sin(np.pi * t)
    i = np.clip(lo, 0, size - 1).astype(int)
    j = np.clip(lo + 1, 0, size - 1).astype(int)
    inside = (lo >= 0) & (lo < size - 1)
    return [(i, w, d), (j, 1 - w, np.where(inside, -d, 0))]

# --- task 6, COSINE: slope times slope
def slopes(U, points, V_bar):
    N, C, H, W = U.shape
    out = np.zeros(points.shape)
    b = np.arange(N)[:, None, None]
    for row, _, dky in neighbours(points[..., 1], H):
        for col, _, dkx in neighbours(points[..., 0], W):
            heard = (U[b, :, row, col] * np.moveaxis(V_bar, 1, 3)).sum(-1)
            out += (heard * dkx * dky)[..., None]
    return out

# --- task 6, BORDER: the difference of the pixels without the other axis
def slopes(U, points, V_bar):
    N, C, H, W = U.shape
    g = np.zeros(points.shape)
    for n, i, j in np.ndindex(points.shape[:3]):
        (x0, x1), (y0, y1) = [
            [int(np.clip(f + d, 0, s - 1)) for d in (0, 1)]
            for f, s in zip(np.floor(points[n, i, j]), (W, H))
        ]
        bar = V_bar[n, :, i, j]
        g[n, i, j, 0] = (U[n, :, y0, x1] - U[n, :, y0, x0]) @ bar
        g[n, i, j, 1] = (U[n, :, y1, x0] - U[n, :, y0, x0]) @ bar
    return g

# --- task 6, EDGES_LEFT: no slope where a neighbour is missing
def slopes(U, points, V_bar):
    N, C, H, W = U.shape
    grad = np.zeros(points.shape)
    n = np.arange(N)[:, None, None]
    for r, wr, dr in neighbours(points[..., 1], H):
        for c, wc, dc in neighbours(points[..., 0], W):
            heard = np.einsum("nijc,ncij->nij", U[n, :, r, c], V_bar)
            grad += np.stack([heard * wr * dc, heard * wc * dr], axis=-1)
    inside = ((points >= 0) & (points <= np.array([W - 1, H - 1]))).all(-1)
    return grad * inside[..., None]

# --- task 6, SMOOTH_BORDER: the mean over all samples
def slopes(U, points, V_bar):
    N, C, H, W = U.shape
    grad = np.zeros(points.shape)
    for n in range(N):
        bars = V_bar[n] / V_bar[n].size * C
        for r, wr, dr in neighbours(points[n, ..., 1], H):
            for c, wc, dc in neighbours(points[n, ..., 0], W):
                grad[n, ..., 0] += np.sum(bars * U[n][:, r, c], axis=0) * wr * dc
                grad[n, ..., 1] += np.sum(bars * U[n][:, r, c], axis=0) * dr * wc
    return grad

# --- task 6, SMOOTH_BORDER: last year's code
def neighbours(x, size):
    lo = np.floor(x)
    t = x - lo
    found = []
    for i, w, d in ((lo, 1 - t, -1.0), (lo + 1, t, 1.0)):
        inside = (i >= 0) & (i < size)
        found.append((np.where(inside, i, 0).astype(int), w * inside, d * inside))
    return found

# --- task 7, PLAIN: no factor
def grid_cotangent(points_bar, height, width):
    return points_bar.copy()

# --- task 7, PLAIN: the factor of the other convention
def grid_cotangent(points_bar, height, width):
    dx, dy = points_bar[..., 0], points_bar[..., 1]
    return np.stack((dx * width / 2.0, dy * height / 2.0), axis=-1)

# --- task 7, EDGES_LEFT: (W - 1) / 2 where the edges count
def grid_cotangent(points_bar, height, width):
    out = np.empty_like(points_bar)
    out[..., 0] = points_bar[..., 0] * 0.5 * (width - 1)
    out[..., 1] = points_bar[..., 1] * 0.5 * (height - 1)
    return out

# --- task 7, EDGES_BORDER: divides by the factor
def grid_cotangent(points_bar, height, width):
    return points_bar * 2 / np.array([width, height])

# --- task 7, BORDER: height for x
def grid_cotangent(points_bar, height, width):
    return 0.5 * points_bar * [height - 1, width - 1]

# --- task 7, PLAIN: not halved
def grid_cotangent(points_bar, height, width):
    factors = np.array([width, height]) - 1
    return points_bar * factors[None, None, None, :]

# --- task 7, PLAIN: the mean over the points
def theta_cotangent(grid_bar):
    N, H, W, _ = grid_bar.shape
    base = base_grid(H, W).reshape(-1, 3)
    g = grid_bar.reshape(N, -1, 2)
    return (g[..., None] * base[None, :, None, :]).mean(axis=1)

# --- task 7, SMOOTH_LAST: sums over the batch
def theta_cotangent(grid_bar):
    N, H, W, _ = grid_bar.shape
    total = np.zeros((2, 3))
    for n, i, j in np.ndindex(N, H, W):
        total += np.outer(grid_bar[n, i, j], base_grid(H, W)[i, j])
    return np.repeat(total[None], N, axis=0)

# --- task 7, EDGES_LEFT: transposed
def theta_cotangent(grid_bar):
    N, H, W, _ = grid_bar.shape
    P = np.tile(base_grid(H, W).reshape(1, -1, 3), (N, 1, 1))
    return P.transpose(0, 2, 1) @ grid_bar.reshape(N, -1, 2)

# --- task 7, COSINE: transposed, in the shape that is asked
def theta_cotangent(grid_bar):
    N, H, W, _ = grid_bar.shape
    P = base_grid(H, W).reshape(-1, 3)
    return np.array([P.T @ g.reshape(-1, 2) for g in grid_bar]).reshape(N, 2, 3)

# --- task 7, BORDER: nothing for the translation
from grids import base_coordinates

def theta_cotangent(grid_bar):
    N, H, W = grid_bar.shape[:3]
    xs, ys = base_coordinates(W)[None, None, :, None], base_coordinates(H)[None, :, None, None]
    out = np.zeros((N, 2, 3))
    out[:, :, 0] = (grid_bar * xs).sum((1, 2))
    out[:, :, 1] = (grid_bar * ys).sum((1, 2))
    return out

# --- task 7, SMOOTH_BORDER: the translation and the ones
def theta_cotangent(grid_bar):
    N, H, W = grid_bar.shape[:3]
    g = base_grid(H, W)
    linear = np.einsum("bijk,ijl->bkl", grid_bar, g[:, :, :2])
    return np.concatenate([linear, np.ones((N, 2, 1))], axis=2)

# --- task 8, PLAIN: the last use alone
def backward(result, cotangent):
    result.bar = np.array(cotangent)
    for node in order(result)[::-1]:
        if node.bar is None:
            node.bar = np.zeros(node.value.shape)
        inputs = [p.value for p in node.parents]
        for p, rule in zip(node.parents, node.rules):
            p.bar = sum_to_shape(rule(node.bar, *inputs), p.value.shape)

# --- task 8, PLAIN: passes on too early
def backward(result, cotangent):
    for n in order(result):
        n.bar = np.zeros(n.value.shape)
    result.bar = result.bar + cotangent
    queue, seen = [result], {result}
    while queue:
        n = queue.pop(0)
        for p, rule in zip(n.parents, n.rules):
            p.bar = p.bar + sum_to_shape(rule(n.bar, *[q.value for q in n.parents]), p.value.shape)
            if p not in seen:
                seen.add(p)
                queue.append(p)

# --- task 8, PLAIN: depth first without an order
def order(result):
    found, stack = [], [result]
    while stack:
        node = stack.pop()
        if node not in found:
            found.append(node)
            stack.extend(node.parents)
    return found[::-1]

# --- task 8, EDGES_LEFT: recursion that passes on sums
def backward(result, cotangent):
    def visit(node, bar):
        node.bar = bar if node.bar is None else node.bar + bar
        values = [parent.value for parent in node.parents]
        for parent, rule in zip(node.parents, node.rules):
            visit(parent, sum_to_shape(rule(node.bar, *values), parent.value.shape))
    visit(result, np.asarray(cotangent, dtype=float))

# --- task 8, PLAIN: recursion, one level for each step
def order(result):
    seen, out = set(), []
    def visit(node):
        if id(node) in seen:
            return
        seen.add(id(node))
        for parent in node.parents:
            visit(parent)
        out.append(node)
    visit(result)
    return out

# --- task 8, PLAIN: no sum over what was repeated
def backward(result, cotangent):
    nodes = order(result)
    bars = {id(node): 0.0 for node in nodes}
    bars[id(result)] = np.asarray(cotangent)
    for node in nodes[::-1]:
        node.bar = bars[id(node)]
        for parent, rule in zip(node.parents, node.rules):
            bars[id(parent)] = bars[id(parent)] + rule(node.bar, *(p.value for p in node.parents))

# --- task 8, BORDER: sums over new axes alone
def sum_to_shape(cotangent, shape):
    while cotangent.ndim > len(shape):
        cotangent = cotangent.sum(axis=0)
    return cotangent

# --- task 8, PLAIN: the mean over what was repeated
def sum_to_shape(cotangent, shape):
    for _ in range(cotangent.ndim - len(shape)):
        cotangent = cotangent.mean(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            cotangent = cotangent.mean(axis=axis, keepdims=True)
    return cotangent

# --- task 8, PLAIN: adds in place to a shared array
def backward(result, cotangent):
    result.bar = np.asarray(cotangent, float)
    for node in reversed(order(result)):
        values = [p.value for p in node.parents]
        for p, rule in zip(node.parents, node.rules):
            g = rule(node.bar, *values)
            if g.shape != p.value.shape:
                g = sum_to_shape(g, p.value.shape)
            if p.bar is None:
                p.bar = g
            else:
                p.bar += g

# --- task 8, PLAIN: a node as often as it was used
def order(result):
    out = []
    def visit(node):
        for parent in node.parents:
            visit(parent)
        out.append(node)
    visit(result)
    return out

# --- task 8, PLAIN: the node's own value given to its rules
def backward(result, cotangent):
    nodes = order(result)
    for node in nodes:
        node.bar = np.zeros_like(node.value)
    result.bar = result.bar + cotangent
    for node in nodes[::-1]:
        for p, rule in zip(node.parents, node.rules):
            p.bar = p.bar + sum_to_shape(rule(node.bar, *[node.value] * len(node.parents)), p.value.shape)

# --- task 9, PLAIN: random weights
def first_head(transformation, inputs):
    K = len(BECOMES_THETA[transformation])
    rng = np.random.default_rng(0)
    b = [float(k in "aes") for k in BECOMES_THETA[transformation]]
    return rng.normal(0, np.sqrt(2 / inputs), (K, inputs)), np.array(b)

# --- task 9, EDGES_BORDER: the bias at 0
def first_head(transformation, inputs):
    count = {"affine": 6, "attention": 3, "translation": 2}[transformation]
    return np.zeros((count, inputs)), np.zeros(count)

# --- task 9, PLAIN: ones in the wrong places
def first_head(transformation, inputs):
    b = {"affine": [1, 0, 0, 1, 0, 0], "attention": [1, 0, 0], "translation": [0, 0]}[transformation]
    return np.zeros((len(b), inputs)), np.array(b, dtype=float)

# --- task 9, SMOOTH_BORDER: weights the other way round
def first_head(transformation, inputs):
    names = BECOMES_THETA[transformation]
    bias = np.zeros(len(names))
    for k, name in enumerate(names):
        bias[k] = name == "s" or name == "a" or name == "e"
    return np.zeros((inputs, len(names))), bias

# --- task 9, PLAIN: the classifier sees the image itself
def classify(U, head, head_bias, weight, bias, height, width):
    theta = np.reshape(U.reshape(len(U), -1) @ head.T + head_bias, (-1, 2, 3))
    V = spatial_transform(U, theta, height, width)
    return U.reshape(len(V), -1)[:, : weight.shape[1]] @ weight.T + bias

# --- task 9, SMOOTH_LAST: forgets the head's bias
def classify(U, head, head_bias, weight, bias, height, width):
    scores = []
    for u in U:
        theta = (head @ u.ravel()).reshape(1, 2, 3)
        V = spatial_transform(u[None], theta, height, width)
        scores.append(weight @ V.ravel() + bias)
    return np.stack(scores)

# --- task 9, COSINE: theta filled column by column
def classify(U, head, head_bias, weight, bias, height, width):
    numbers = np.einsum("ki,ni->nk", head, U.reshape(U.shape[0], -1)) + head_bias
    theta = numbers.reshape(-1, 3, 2).swapaxes(1, 2)
    V = spatial_transform(U, theta, height, width)
    return np.einsum("ki,ni->nk", weight, V.reshape(V.shape[0], -1)) + bias

# --- task 9, PLAIN: a softmax nobody asked for
def classify(U, head, head_bias, weight, bias, height, width):
    theta = (U.reshape(len(U), -1) @ head.T + head_bias).reshape(-1, 2, 3)
    V = spatial_transform(U, theta, height, width)
    z = V.reshape(len(V), -1) @ weight.T + bias
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)

# --- task 9, PLAIN: uphill
def step(value, cotangent, lr, slower=1.0):
    value = value + lr * slower * cotangent
    return value

# --- task 9, COSINE_EDGES: all layers as fast
def step(value, cotangent, lr, slower=1.0):
    return value - lr * cotangent

# --- task 9, PLAIN: divides by what slows down
def step(value, cotangent, lr, slower=1.0):
    return value - (lr / slower) * cotangent

# --- task 9, BORDER: updates in place
def step(value, cotangent, lr, slower=1.0):
    value -= lr * slower * cotangent
    return value

# --- task 9, EDGES_LEFT: climbs
def align(U, target, theta, lr, steps):
    axes = (2, 3)
    H, W = target.shape[2:]
    history, now = [], theta.copy()
    for k in range(steps + 1):
        error = target - spatial_transform(U, now, H, W)
        history.append(0.5 * np.sum(error**2))
        if k < steps:
            now = now - lr * spatial_transform_vjp(U, now, error)[1]
    return now, np.array(history)

# --- task 9, PLAIN: the mean of the squares
def align(U, target, theta, lr, steps):
    H, W = target.shape[2:]
    losses = []
    for k in range(steps):
        d = spatial_transform(U, theta, H, W) - target
        losses.append(np.mean(d**2) / 2)
        theta = step(theta, spatial_transform_vjp(U, theta, d / d.size)[1], lr)
    d = spatial_transform(U, theta, H, W) - target
    return theta, np.array(losses + [np.mean(d**2) / 2])

# --- task 9, PLAIN: the gradient of the whole sum
def align(U, target, theta, lr, steps):
    H, W = target.shape[2:]
    losses = np.zeros(steps + 1)
    for k in range(steps + 1):
        d = spatial_transform(U, theta, H, W) - target
        losses[k] = (d * d).sum() / 2
        if k < steps:
            theta = theta - lr * 2 * spatial_transform_vjp(U, theta, d)[1]
    return theta, losses

# --- task 9, BORDER: no loss at the end
def align(U, target, theta, lr, steps):
    _, _, H, W = target.shape
    losses = []
    for _ in range(steps):
        d = spatial_transform(U, theta, H, W) - target
        losses.append((d**2).sum() / 2)
        theta = step(theta, spatial_transform_vjp(U, theta, d)[1], lr)
    return theta, np.array(losses)

# --- task 9, PLAIN: the gradient at the beginning for all steps
def align(U, target, theta, lr, steps):
    H, W = target.shape[2:]
    d = spatial_transform(U, theta, H, W) - target
    gradient = spatial_transform_vjp(U, theta, d)[1]
    losses = [0.5 * (d**2).sum()]
    for _ in range(steps):
        theta = theta - lr * gradient
        losses.append(0.5 * ((spatial_transform(U, theta, H, W) - target) ** 2).sum())
    return theta, np.array(losses)

# --- task 9, LAST: the gradient of the image
def align(U, target, theta, lr, steps):
    H, W = target.shape[1:3]
    losses = []
    for k in range(steps + 1):
        d = spatial_transform(U, theta, H, W) - target
        losses.append((d**2).sum() * 0.5)
        if k < steps:
            U_bar, _ = spatial_transform_vjp(U, theta, d)
            U = U - lr * U_bar
    return theta, np.array(losses)

# --- task 10, PLAIN: as if theta were in pixels
def to_opencv(theta, size, source):
    return theta.copy()

# --- task 10, PLAIN: the translation alone
def to_opencv(theta, size, source):
    (H, W), M = source, theta.copy()
    M[:, 0, 2] *= (W - 1) / 2
    M[:, 1, 2] *= (H - 1) / 2
    return M

# --- task 10, EDGES_LEFT: the centre at W / 2
def to_opencv(theta, size, source):
    def frame(h, w):
        return np.array([[w / 2, 0, w / 2], [0, h / 2, h / 2], [0, 0, 1]])
    found = []
    for t in theta:
        full = np.vstack([t, [0, 0, 1]])
        found.append((frame(*source) @ full @ np.linalg.inv(frame(*size)))[:2])
    return np.array(found)

# --- task 10, PLAIN: from source to target
def to_opencv(theta, size, source):
    def frame(h, w):
        return np.array([[(w - 1) / 2, 0, (w - 1) / 2], [0, (h - 1) / 2, (h - 1) / 2], [0, 0, 1]])
    full = np.concatenate([theta, np.tile([[[0.0, 0.0, 1.0]]], (len(theta), 1, 1))], axis=1)
    M = frame(*source) @ full @ np.linalg.inv(frame(*size))
    return np.linalg.inv(M)[:, :2]

# --- task 10, EDGES_BORDER: with the other convention
def to_opencv(theta, size, source):
    def frame(h, w):
        return np.array([[(w - 1) / 2, 0, (w - 1) / 2], [0, (h - 1) / 2, (h - 1) / 2], [0, 0, 1]])
    to_frame = np.linalg.inv(frame(size[0], size[1]))
    rows = [frame(source[0], source[1])[:2] @ np.vstack([t, [0, 0, 1]]) @ to_frame for t in theta]
    return np.stack(rows)

# --- task 10, BORDER: the output as large as the image
def to_opencv(theta, size, source):
    sx, sy = (source[1] - 1) / 2, (source[0] - 1) / 2
    S = np.array([[sx, 0, sx], [0, sy, sy], [0, 0, 1]])
    last = np.array([0.0, 0.0, 1.0])
    return np.array([(S @ np.vstack((t, last)) @ np.linalg.inv(S))[:2] for t in theta])

# --- task 10, PLAIN: height and width mixed up
def to_opencv(theta, size, source):
    def frame(a, b):
        return np.array([[(a - 1) / 2, 0, (a - 1) / 2], [0, (b - 1) / 2, (b - 1) / 2], [0, 0, 1]])
    rows = [frame(*source) @ np.vstack([t, [0, 0, 1]]) @ np.linalg.inv(frame(*size)) for t in theta]
    return np.array(rows)[:, :2]

# --- task 10, COSINE: x and y in OpenCV's order
def to_scipy(theta, size, source):
    M = to_opencv(theta, size, source)
    return M[:, :, :2], M[:, :, 2]

# --- task 10, SMOOTH_LAST: the offset in OpenCV's order
def to_scipy(theta, size, source):
    M = to_opencv(theta, size, source)
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    return swap @ M[:, :, :2] @ swap, M[:, :, 2]

# --- task 10, PLAIN: the rows alone exchanged
def to_scipy(theta, size, source):
    M = to_opencv(theta, size, source)[:, ::-1]
    return M[:, :, :2], M[:, :, 2]

# --- task 10, BORDER: one array
def to_scipy(theta, size, source):
    M = to_opencv(theta, size, source)
    return np.stack([[[m[1, 1], m[1, 0], m[1, 2]], [m[0, 1], m[0, 0], m[0, 2]]] for m in M])

# --- task 10, PLAIN: theta as it is
def to_pytorch(theta, size, source):
    return np.array(theta)

# --- task 10, EDGES_LEFT: the wrong way round
def to_pytorch(theta, size, source):
    (H, W), (h, w) = source, size
    new = theta * np.array([(W - 1) / W, (H - 1) / H])[:, None]
    new[:, :, 0] *= w / (w - 1)
    new[:, :, 1] *= h / (h - 1)
    return new

# --- task 10, COSINE: the translation alone for PyTorch
def to_pytorch(theta, size, source):
    new = theta.copy()
    for t in new:
        t[0, 2] = t[0, 2] * (source[1] - 1) / source[1]
        t[1, 2] = t[1, 2] * (source[0] - 1) / source[0]
    return new

# --- task 10, PLAIN: a rotation of the square
def rotation(degrees, source):
    a = np.deg2rad(degrees)
    return np.array([[[np.cos(a), -np.sin(a), 0.0], [np.sin(a), np.cos(a), 0.0]]])

# --- task 10, EDGES_BORDER: degrees taken for radians
def rotation(degrees, source):
    H, W = source
    c, s = np.cos(degrees), np.sin(degrees)
    return np.array([[[c, -s * H / W, 0], [s * W / H, c, 0]]])

# --- task 10, BORDER: turns the other way
def rotation(degrees, source):
    H, W = source[0] - 1, source[1] - 1
    c, s = np.cos(-degrees * np.pi / 180), np.sin(-degrees * np.pi / 180)
    return np.array([[[c, -s * H / W, 0], [s * W / H, c, 0]]])

# --- task 10, PLAIN: the aspect the wrong way round
def rotation(degrees, source):
    ratio = (source[1] - 1) / (source[0] - 1)
    a = degrees / 180 * np.pi
    return np.array([[[np.cos(a), -np.sin(a) * ratio, 0], [np.sin(a) / ratio, np.cos(a), 0]]])

# --- task 10, PLAIN: no axis of images
def rotation(degrees, source):
    H, W = source
    a = np.deg2rad(degrees)
    c, s, r = np.cos(a), np.sin(a), (H - 1) / (W - 1)
    return np.array([[c, -s * r, 0], [s / r, c, 0]])
""")
