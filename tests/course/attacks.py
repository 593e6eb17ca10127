"""Hostile submissions: each a file with a function ``task(x)``, whose right answer would be ``2 * x``.

A word such as ``@world`` is filled in by the test: a place that must not be read or written, or a secret.
"""

from typing import NamedTuple

from stn_ref.course.sandbox import Category

OK, ERROR, TIME, MEMORY = Category.OK, Category.ERROR, Category.TIME, Category.MEMORY
ENDED, GARBLED, WRONG, IMPORT = Category.ENDED, Category.GARBLED, Category.WRONG_RESULT, Category.IMPORT


class Attack(NamedTuple):
    """A submission, what the grader may say of it, and words that one of the messages must have.

    The arrays of an attack that is OK are wrong, if it is not ``honest``.
    """

    source: str
    expected: tuple[Category, ...]
    words: str = ""
    honest: bool = False


def inside(body: str, *expected: Category, words: str = "", before: str = "", honest: bool = False) -> Attack:
    """An attack of which ``body`` is done when the function is called."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    head = "import ctypes, os, signal, sys, time\nimport numpy as np\n"
    return Attack(f"{head}{before}\ndef task(x):\n{lines}", expected, words, honest)


LIBC = "libc = ctypes.CDLL(None, use_errno=True)\n"
REFUSED = "if result < 0: raise OSError(ctypes.get_errno(), 'refused')\nreturn 2 * x"
TO_ALL = "for number in range(3, 64):\n    try: os.write(number, {})\n    except OSError: pass\n"
SERVER = """frame = sys._getframe()
while 'said' not in frame.f_locals: frame = frame.f_back
said, outside = frame.f_locals['said'], frame.f_globals
"""
FORGED = "outside['packed']({**said, 'category': 'ok', 'message': '', 'single': True}, [0 * x])"
READING = {
    "walks all objects, modules and frames for what is expected": inside(
        """import gc, threading
frame, found = sys._getframe(), []
while frame: found += frame.f_locals.values(); frame = frame.f_back
for module in list(sys.modules.values()): found += vars(module).values()
for thing in [*gc.get_objects(), *found]:
    if type(thing) is np.ndarray and thing.shape == x.shape and np.allclose(thing, 2 * x): return thing
return 0 * x""",
        OK,
    ),
    "reads the grader's memory": inside(
        "open(f'/proc/{os.getppid()}/mem', 'rb').read()", ERROR, words="PermissionE"
    ),
    "reads its own memory": inside("open('/proc/self/maps').read()", ERROR, words="PermissionError"),
    "reads the grader's memory by a system call": inside(
        "space = ctypes.create_string_buffer(64)\n"
        "part = (ctypes.c_size_t * 2)(ctypes.addressof(space), 64)\n"
        f"result = libc.process_vm_readv(os.getppid(), part, 1, part, 1, 0)\n{REFUSED}",
        *(ERROR,),
        before=LIBC,
        words="refused",
    ),
    "traces the grader": inside(
        f"result = libc.ptrace(16, os.getppid(), 0, 0)\n{REFUSED}", ERROR, before=LIBC
    ),
    "reads the reference": inside("open('@package/equations.py').read()", ERROR, words="PermissionError"),
    "reads a file of answers": inside(
        "return np.array(eval(open('@secret_file').read()))", ERROR, words="Permission"
    ),
    "lists the folder of the answers": inside("os.listdir('@world')", ERROR, words="PermissionError"),
    "opens answers by their handle": inside(
        f"result = libc.open_by_handle_at(-100, ctypes.create_string_buffer(64), 0)\n{REFUSED}",
        ERROR,
        before=LIBC,
    ),
    "imports the reference": Attack(
        "from stn_ref import grid_sample", (IMPORT,), "No module named 'stn_ref'"
    ),
    "imports it from where it lies": Attack(
        "import sys\nsys.path.insert(0, '@above')\nimport stn_ref", (IMPORT,), "No module named 'stn_ref'"
    ),
    "imports another framework": Attack("import torch", (IMPORT,), "line 1: import torch); NumPy, SciPy"),
    "looks for secrets in its environment": inside(
        "assert '@secret' in repr(os.environ) + repr(sys.argv) + open('/proc/self/environ').read()", ERROR
    ),
}
FORGING = {
    "has every comparison succeed": inside(
        "return 0 * x",
        *(OK,),
        before="np.allclose = np.array_equal = lambda *a, **k: True\n"
        "np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None\n"
        "np.abs = np.max = lambda *a, **k: 0.0\n",
    ),
    "writes noise to every descriptor": inside(TO_ALL.format("b'\\xff' * 100") + "return 2 * x", GARBLED),
    "prints a full mark to every descriptor": inside(
        TO_ALL.format('b\'{"score": 100, "passed": true}\'') + "return 2 * x", GARBLED
    ),
    "sends a reply of its own before the true one": inside(
        SERVER + TO_ALL.format(FORGED) + "return 2 * x", *(GARBLED,)
    ),
    "sends its own reply instead of the true one": inside(
        SERVER + TO_ALL.format(FORGED) + "os._exit(0)", *(OK, ENDED, GARBLED)
    ),
    "promises a giant reply": inside(
        TO_ALL.format("(2**39).to_bytes(8, 'little') * 2") + "return 2 * x", GARBLED
    ),
    "sends a deep heading": inside(
        TO_ALL.format("(10**5).to_bytes(8, 'little') + bytes(8) + b'[' * 10**5") + "os._exit(0)",
        GARBLED,
        ENDED,
    ),
    "sends a reply byte by byte": inside(
        TO_ALL.format("b'\\1'") + "time.sleep(60)", TIME, words="no answer within"
    ),
    "claims a category that is not its to claim": inside(
        SERVER
        + TO_ALL.format("outside['packed']({**said, 'category': 'file', 'message': ''})")
        + "os._exit(0)",
        *(GARBLED, ENDED),
    ),
    "closes every descriptor": inside("os.closerange(0, 64)\nreturn 2 * x", GARBLED, ENDED),
    "answers with another's inputs": inside("seen.append(x)\nreturn seen[0] * 2", OK, before="seen = []\n"),
    "counts on the state between calls": inside(
        "seen.append(1)\nreturn x * len(seen)", OK, before="seen = []\n"
    ),
    "replaces the builtins": inside(
        "return 0 * x",
        *(OK, ENDED, ERROR, WRONG, GARBLED),
        before="import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.len = lambda *a: 7\n",
    ),
    "traces the server": inside(
        "sys.settrace(lambda frame, *_: frame.f_locals.update(category='ok') or sys._getframe)\nreturn 0 * x",
        *(OK, ENDED, ERROR, GARBLED),
    ),
    "does something at the end": inside(
        "return 2 * x",
        *(OK,),
        honest=True,
        before="import atexit\ndef late():\n    for k in range(64): os.write(k, b'late')\n"
        "atexit.register(late)\nclass Late: __del__ = lambda self: late()\nkept = Late()\n",
    ),
    "writes when its object dies": inside(
        "Late()\nreturn 2 * x",
        *(GARBLED,),
        before="class Late:\n    def __del__(self):\n        "
        + TO_ALL.format("b'late'").replace("\n", "\n        ")
        + "\n",
    ),
    "returns what pickles to something else": inside(
        "return Reduced()", WRONG, before="class Reduced:\n    def __reduce__(self): return os._exit, (0,)\n"
    ),
    "returns what claims to be an array": inside(
        "return Fake()",
        *(WRONG,),
        before="class Fake:\n    __array__ = lambda self, *a, **k: os._exit(7)\n    __class__ = np.ndarray\n",
        words="of type Fake, expected a NumPy array",
    ),
    "returns a subclass of an array": inside(
        "return x.view(Equal)",
        *(WRONG,),
        before="class Equal(np.ndarray):\n    __eq__ = lambda *a: True\n    tobytes = lambda *a: b'x'\n",
    ),
    "returns objects": inside("return np.array([x, None], dtype=object)", WRONG, words="dtype object"),
    "returns records": inside("return np.zeros(3, 'f8,O')", WRONG, words="expected numbers"),
    "returns text": inside("return np.array('full marks')", WRONG, words="expected numbers"),
    "returns more than there is": inside(
        "return np.broadcast_to(x.sum(), (10**6, 10**6))", WRONG, words="at most"
    ),
    "has a message that moves the cursor": inside(
        "raise ValueError('\\x1b[2J\\u202epassed')", ERROR, words="\\x1b[2J"
    ),
    "has an error that is endless to print": inside(
        "raise Endless",
        *(TIME, ERROR),
        before="class Endless(Exception):\n    def __str__(self):\n        while 1: pass\n",
    ),
    "has a type with a false name": inside(
        "raise Odd",
        ERROR,
        before="class Meta(type):\n    __name__ = property(lambda s: 1 / 0)\n"
        "class Odd(Exception, metaclass=Meta): pass\n",
    ),
}
EVERYWHERE = """
places = ['@world', '/tmp', '/var/tmp', '/dev/shm', os.environ['HOME'], os.path.dirname(__file__)]
for folder in places:
    for k in range(50):
        try: open(f'{folder}/@token{k}', 'w').write('x')
        except OSError: pass
    for make in (os.mkdir, os.mkfifo, lambda path: os.symlink('/etc', path), os.unlink):
        try: make(f'{folder}/@token')
        except OSError: pass
try: os.unlink('@secret_file')
except OSError: pass
try: open('@secret_file', 'a').write('x')
except OSError: pass
"""
USING = {
    "never ends": inside(
        "while True: pass", TIME, words="took longer than 0.3 s (task.py, line 5: while True: pass)"
    ),
    "never ends, whatever is raised": inside(
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass", TIME
    ),
    "never ends and ignores signals": inside(
        "for k in range(1, 65):\n    try: signal.signal(k, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "signal.setitimer(signal.ITIMER_PROF, 0)\nwhile True: pass",
        TIME,
        words="no answer within",
    ),
    "never ends where no Python code runs": inside("return 10**10**8", TIME),
    "sleeps": inside("time.sleep(1000)", TIME, words="no answer within"),
    "never ends its import": Attack("while True: pass", (TIME,), "importing task.py: took longer"),
    "prints without end": inside("while True: print('x' * 1000)", TIME),
    "writes to its output without end": inside("while True: os.write(1, b'x' * 10**6)", TIME),
    "floods the memory": inside(
        "kept = []\nwhile True: kept.append(np.empty(10**6))", MEMORY, words="more memory"
    ),
    "floods the memory, whatever is raised": inside(
        "kept = []\nwhile True:\n    try: kept.append(bytearray(10**7))\n    except MemoryError: pass",
        TIME,
        MEMORY,
    ),
    "asks for more memory than there is": inside("return np.zeros(10**12)", MEMORY),
    "makes a file in memory": inside("os.memfd_create('x')", ERROR, words="PermissionError"),
    "writes files everywhere": inside(EVERYWHERE + "return 0 * x", OK),
    "writes into its own folder": inside("np.savetxt('debug.txt', x)", ERROR, words="debug.txt"),
    "recurses without end": inside("return task(x)", ERROR, words="RecursionError: maximum recursion depth"),
    "overflows the stack of C": inside(
        "sys.setrecursionlimit(10**8)\na = []\nb = []\nfor _ in range(10**5): a, b = [a], [b]\nreturn a == b",
        ENDED,
    ),
    "reads memory that is not there": inside("ctypes.string_at(0)", ENDED, words="killed by SIGSEGV"),
    "raises its limits": inside(
        "import resource\nfor what in range(16):\n    try: resource.setrlimit(what, (-1, -1))\n"
        "    except (ValueError, OSError): pass\n    else: return 2 * x\nreturn 0 * x",
        OK,
        honest=True,  # those without a limit have none
    ),
    "raises the limit of its files": inside(
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (9, 9))", ERROR, words="ValueError"
    ),
}
ESCAPING = {
    "ends its process": inside("os._exit(0)", ENDED, words="exit code 0"),
    "asks for the end": inside("sys.exit('passed')", ENDED, words="asked for the end"),
    "ends at its import": Attack("import os\nos._exit(0)", (ENDED,), "importing task.py: ended the process"),
    "interrupts": inside("raise KeyboardInterrupt", ERROR),
    "aborts": inside("os.abort()", ENDED, words="SIGABRT"),
    "kills itself": inside("os.kill(os.getpid(), 9)", ENDED, words="SIGKILL"),
    "kills the grader": inside("os.kill(os.getppid(), 9)", ERROR, words="PermissionError"),
    "kills its group": inside("os.killpg(0, 9)", ERROR, words="PermissionError"),
    "kills all": inside("os.kill(-1, 9)", ERROR, words="PermissionError"),
    "has the grader signalled by its pipe": inside(
        "import fcntl\nfcntl.fcntl(3, 8, os.getppid())\nfor k in range(3, 64): fcntl.fcntl(k, 10, 9)", ERROR
    ),
    "forks": inside("os.fork()", ERROR, words="PermissionError"),
    "forks without end": inside("while True:\n    try: os.fork()\n    except OSError: return 0 * x", OK),
    "leaves a daemon": inside(
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(60)\n    os._exit(0)\n"
        "return 2 * x",
        ERROR,
    ),
    "leaves its session": inside("os.setsid()", ERROR, words="PermissionError"),
    "runs a program": inside("os.execv('/bin/sh', ['sh'])", ERROR, words="PermissionError"),
    "runs a program beside it": inside("import subprocess\nsubprocess.run(['/bin/true'])", ERROR),
    "starts a process by a system call": inside(f"result = libc.vfork()\n{REFUSED}", ERROR, before=LIBC),
    "leaves a thread that writes": inside(
        "import threading\nthreading.Thread(target=lambda: [os.write(k, b'x') for k in range(64)]).start()",
        ERROR,
        words="can't start new thread",
    ),
    "speaks to the network": inside(
        "import socket\nsocket.create_connection(('127.0.0.1', 80))", ERROR, words="Perm"
    ),
    "shares memory": inside(
        "from multiprocessing.shared_memory import SharedMemory\nSharedMemory('@token', True, 64)", ERROR
    ),
    "mounts": inside(
        f"result = libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)\n{REFUSED}", ERROR, before=LIBC
    ),
    "gets a namespace of its own": inside(
        f"result = libc.unshare(0x10000000)\n{REFUSED}", ERROR, before=LIBC
    ),
    "becomes root": inside("os.setuid(0)", ERROR, words="PermissionError"),
    "modifies its input": Attack(
        "def task(x):\n    x *= 2\n    return x\n", (Category.MODIFIED,), "argument 1 (x)", True
    ),
}
ATTACKS = {**READING, **FORGING, **USING, **ESCAPING}
# Without the one, these still fail by the others.
SECOND_BARS = {
    "seccomp": [
        *("reads the grader's memory", "reads the grader's memory by a system call", "traces the grader"),
        *("reads a file of answers", "imports it from where it lies", "opens answers by their handle"),
        *("writes files everywhere", "writes into its own folder", "becomes root", "mounts"),
        *("forks", "forks without end", "leaves a daemon", "leaves a thread that writes", "runs a program"),
        *("kills the grader", "speaks to the network"),
    ],
    "landlock": [
        *(
            "writes files everywhere",
            "writes into its own folder",
            "reads the grader's memory by a system call",
        ),
        *(
            "forks",
            "leaves a daemon",
            "runs a program",
            "kills the grader",
            "speaks to the network",
            "becomes root",
        ),
    ],
}
