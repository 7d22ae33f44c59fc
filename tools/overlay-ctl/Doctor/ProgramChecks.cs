using System;
using System.IO;
using System.Linq;

namespace Overlay.Ctl.Doctor;

/// <summary>Could this program run under Overlay? It is not run.</summary>
internal static unsafe class ProgramChecks
{
    private const int DeepestScript = 5;
    private const string AllowStatic = "run it with 'overlay-ctl run --allow-static' if it needs no file of a volume: it would see ciphertext";

    internal static void Run(CheckList checks, string command, string? volume)
    {
        checks.Begin("program");
        string? path = Find(command);
        for (int depth = 0; path is not null; depth++)
        {
            ProgramFile? file = Open(checks, path);
            if (file is null)
                return;
            if (file.Kind != ProgramKind.Script)
            {
                CheckProgram(checks, path, file, volume);
                return;
            }
            if (depth == DeepestScript)
            {
                checks.Fail("program", $"{command}: scripts of scripts, too deep", "name an interpreter that is a program");
                return;
            }
            checks.Ok("script", $"{path} is run by {file.Interpreter}");
            path = file.Interpreter;
        }
        checks.Fail("program", $"{command} was not found", "check its name and PATH");
    }

    private static string? Find(string command)
    {
        if (command.Contains('/', StringComparison.Ordinal))
            return File.Exists(command) ? command : null;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Select(directory => Path.Combine(directory, command)).FirstOrDefault(path => File.Exists(path) && Native.Access(path, Native.MayExecute) == 0);
    }

    private static ProgramFile? Open(CheckList checks, string path)
    {
        if (!File.Exists(path))
        {
            checks.Fail("program", $"{path} does not exist", "check the script's first line");
            return null;
        }
        if (Native.Access(path, Native.MayExecute) != 0)
        {
            checks.Fail("program", $"{path} may not be executed", "chmod +x");
            return null;
        }
        try
        {
            return ProgramFile.Read(path);
        }
        catch (UnauthorizedAccessException)
        {
            checks.Fail("program", $"{path} may be executed, but not read", "chmod +r: whether it can be protected cannot be seen otherwise");
            return null;
        }
    }

    private static void CheckProgram(CheckList checks, string path, ProgramFile file, string? volume)
    {
        checks.Ok("program", path);
        switch (file.Kind)
        {
            case ProgramKind.Sealed:
                checks.Warn("format", "it lies in a volume: what it is can be seen inside only", "run 'overlay-ctl doctor -- PROGRAM' with a copy that lies outside");
                return;
            case ProgramKind.Static:
                checks.Fail("format", "statically linked: no library can be loaded into it", $"use a dynamically linked build, or {AllowStatic}");
                return;
            case ProgramKind.ThirtyTwoBit:
                checks.Fail("format", "a 32-bit program", $"use a 64-bit build, or {AllowStatic}");
                return;
            case ProgramKind.Dynamic:
                checks.Ok("format", "x86-64, dynamically linked");
                break;
            default:
                checks.Fail("format", "not a program for this machine", "use a build for x86-64");
                return;
        }
        bool isOpen = CheckPrivileges(checks, path);
        if (CheckLoader(checks, path, file) && isOpen)
            LibcChecks.Report(checks, "interception", ShimProbe.Ask(file.Interpreter, path, volume ?? Path.GetTempPath()));
    }

    /// <summary>Where a program gets rights that its user does not have, the loader takes no library from its environment.</summary>
    private static bool CheckPrivileges(CheckList checks, string path)
    {
        const uint SetUserId = 0x800, SetGroupId = 0x400, GroupExecutes = 8;
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read);
        Interop.Kernel.StatusBuffer status = Interop.KernelFile.Status((int)stream.SafeFileHandle.DangerousGetHandle());
        bool changesUser = (status.Mode & SetUserId) != 0 && status.UserId != Native.EffectiveUser();
        bool changesGroup = (status.Mode & SetGroupId) != 0 && (status.Mode & GroupExecutes) != 0 && status.GroupId != Native.EffectiveGroup();
        bool hasCapabilities = Native.GetAttribute(path, "security.capability", null, 0) > 0;
        if (changesUser || changesGroup)
            checks.Fail("privileges", "set-user-id or set-group-id: the loader would not load Overlay's library into it", $"take the bit away, or {AllowStatic}");
        else if (hasCapabilities && Native.EffectiveUser() != 0)
            checks.Fail("privileges", "it has file capabilities: the loader would not load Overlay's library into it", $"take them away (setcap -r), or {AllowStatic}");
        else
        {
            checks.Ok("privileges", "none of its own");
            return true;
        }
        return false;
    }

    private static bool CheckLoader(CheckList checks, string path, ProgramFile file)
    {
        if (!Path.GetFileName(file.Interpreter).StartsWith("ld-linux-x86-64.so", StringComparison.Ordinal))
        {
            checks.Fail("loader", file.Interpreter, "use a build for glibc; musl and others are not supported");
            return false;
        }
        if (!File.Exists(file.Interpreter))
        {
            checks.Fail("loader", $"{file.Interpreter} does not exist", "install the libc that the program was built for");
            return false;
        }
        ShimProbe.Answer list = ShimProbe.ListLibraries(file.Interpreter, path);
        string missing = string.Join(", ", list.Output.Split('\n').Where(line => line.EndsWith("=> not found", StringComparison.Ordinal)).Select(line => line.Trim().Split(' ')[0]));
        if (missing.Length > 0)
            checks.Fail("loader", $"{file.Interpreter} does not find {missing}", "install them; those that lie in a volume are found at start only");
        else if (list.ExitCode != 0 || !list.Output.Contains(Layout.Shim, StringComparison.Ordinal))
            checks.Fail("loader", list.Complaint.Length > 0 ? list.Complaint : $"{file.Interpreter} does not load {Layout.Shim}", "the program would run unprotected");
        else
        {
            checks.Ok("loader", $"{file.Interpreter}, all libraries found");
            return true;
        }
        return false;
    }
}
