"""Running a student's Python for a grader, without containers.

The grader (the parent) holds the reference, the random inputs' right answers and the results. A child, a
fresh interpreter, gets inputs and returns what the submission computed from them: never a verdict.
Whatever a submission does in the child, it can therefore only make its own answers wrong, or right by
computing them.

What is prevented
-----------------
Before it runs anything of a submission the child gives up, for good,

- its user: root becomes ``nobody``, without privileges (but to read, where only root can read Python itself;
  Landlock bounds that, and without it nothing is run);
- its environment: no variable of the grader, an empty home, no descriptor but the pipes;
- files (Landlock, on Linux): it can read Python, NumPy, SciPy, the system's libraries and a copy of the
  submission, nothing else: not the reference, wherever it is installed, not the grader's memory, not
  answers;
- system calls (seccomp, on Linux on x86_64 and aarch64): there is no process, thread, socket, signal to
  others or file open for writing. So nothing can be left behind, and no network be reached;
- resources (anywhere on POSIX): processor time, memory, processes, descriptors, and not a byte in a file.

The grader looks at the clock, kills the child's whole group, and cuts what is printed. It reads replies
without pickle, of a bounded size, each with the number of its question, which is random and sent only
after the reply to the one before; a second message after each shows whether a reply was forged beside the
true one.

How it is tested
----------------
``tests/course/test_attacks.py`` runs hostile submissions: each gets a clear category; afterwards the grader
lives, no process and no file is left, and another submission is graded rightly. Some are run again with
Landlock or seccomp left out, to show that users, limits and the other one hold by themselves.

What remains
------------
- Without Landlock (Linux before 5.13, other systems) a submission can read what its user can. Then start the
  grader as root, with the reference and answers where only root can read. Without seccomp it may reach the
  network (not as root where network namespaces are permitted) and signal processes of its own user.
  :attr:`Sandbox.not_prevented` says which of this holds here.
- A submission can hide in its own process that it wrote to its input or took long (the clock and the limits
  stay), can keep what it saw between calls, and can forge its own replies, which are then its answers.
- It can bring a copy of the reference: the solution is public. Only variants of the tasks are a means against
  that. Blocked imports (``stn_ref``, ``torch``) are for clear messages, and no boundary.
- If the grader is killed, a submission may go on until its limits end it.
- It can use all the processor time and memory that :class:`Limits` give it, and see what others may of the
  system: its clock, its kernel, names and sizes of files (not their contents), the load.
- A fault in Linux itself, or in Python's or NumPy's reading of a reply, is not provided against. Those who
  grade strangers on a machine with secrets should use a virtual machine as well.
"""

from .box import Sandbox
from .questions import Array, Category, Limits, Question, Reply, SandboxError

__all__ = ["Array", "Category", "Limits", "Question", "Reply", "Sandbox", "SandboxError"]
