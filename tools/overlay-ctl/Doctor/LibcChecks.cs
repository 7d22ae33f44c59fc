using System.IO;

namespace Overlay.Ctl.Doctor;

/// <summary>Is this system's libc one whose calls can be intercepted?</summary>
internal static class LibcChecks
{
    private const string Name = "libc";

    /// <summary>Overlay's own launcher is the program: it uses this system's loader and libc.</summary>
    internal static void Run(CheckList checks)
    {
        if (Layout.Missing().Length > 0)
            return; // said already
        ProgramFile launcher = ProgramFile.Read(Layout.Exec);
        if (!File.Exists(launcher.Interpreter))
            checks.Fail(Name, $"there is no {launcher.Interpreter}", "glibc 2.31 or newer for x86-64 is needed; musl is not supported");
        else
            Report(checks, Name, ShimProbe.Ask(launcher.Interpreter, Layout.Exec, Path.GetTempPath()));
    }

    /// <summary>What the shim answered, as a check.</summary>
    internal static void Report(CheckList checks, string name, ShimProbe.Answer answer)
    {
        string[] words = answer.Output.Split(' ');
        if (answer.ExitCode != 0 || words.Length != 12 || words[0] != "glibc")
        {
            checks.Fail(name, answer.Complaint.Length > 0 ? answer.Complaint : $"no answer (exit status {answer.ExitCode})",
                "programs do not run under Overlay then, rather than unprotected; docs/errors.md says more of such lines");
            return;
        }
        string finding = $"glibc {words[1]}, {words[5]} of {words[3]} system calls intercepted";
        if (words[11] == "2")
            checks.Warn(name, $"glibc {words[1]}, whose text may not be changed here: every system call is trapped, which takes 1.3 us",
                "allow it (PR_SET_MDWE, SELinux execmod, seccomp), if that is too slow");
        else if (words[11] == "1")
            checks.Warn(name, $"{finding}; calls past libc are trapped, which takes 1.3 us", "nothing has to be done: it, or one of its libraries, may make system calls of its own");
        else if (words[7] == words[9])
            checks.Ok(name, $"{finding}; known since the build");
        else
            checks.Warn(name, $"{finding}; worked out at each start, which takes some 0.5 ms", "build with KNOWN_LIBRARIES naming this libc (shim/native/Makefile)");
    }
}
