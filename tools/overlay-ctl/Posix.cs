using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Overlay.Ctl;

/// <summary>The process calls that .NET does not offer.</summary>
internal static unsafe partial class Posix
{
    internal const int SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGKILL = 9, SIGUSR1 = 10, SIGUSR2 = 12, SIGTERM = 15, SIGCONT = 18, SIGSTOP = 19, SIGTSTP = 20,
        SIGWINCH = 28;

    internal const int EINTR = 4, ECHILD = 10;

    private const int SetChildSubreaper = 36;
    private const short SetSignalDefaults = 4, SetSignalMask = 8;
    private const int CloseOnExec = 0x80000;

    internal static void BecomeSubreaper() => _ = ProcessControl(SetChildSubreaper, 1, 0, 0, 0);

    internal static (int Reader, int Writer) MakePipe()
    {
        int* ends = stackalloc int[2];
        return Pipe(ends, CloseOnExec) == 0 ? (ends[0], ends[1]) : throw new ControlException(ExitCodes.Failed, "no pipe can be made.");
    }

    /// <summary>
    /// Starts a program with signals as after a login: nothing blocked, nothing ignored (the runtime ignores SIGPIPE). 0 or an errno.
    /// </summary>
    internal static int Spawn(string file, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, out int child)
    {
        byte* attributes = stackalloc byte[336];
        byte* signals = stackalloc byte[128];
        _ = InitAttributes(attributes);
        _ = EmptySet(signals);
        _ = SetMask(attributes, signals);
        _ = FillSet(signals);
        _ = SetDefaults(attributes, signals);
        _ = SetFlags(attributes, SetSignalDefaults | SetSignalMask);
        nint[] argumentPointers = Pointers(arguments), environmentPointers = Pointers(environment);
        try
        {
            fixed (nint* argumentStart = argumentPointers, environmentStart = environmentPointers)
            {
                int process;
                int error = SpawnByPath(&process, file, 0, attributes, argumentStart, environmentStart);
                child = process;
                return error;
            }
        }
        finally
        {
            foreach (nint pointer in argumentPointers)
                Marshal.FreeCoTaskMem(pointer);
            foreach (nint pointer in environmentPointers)
                Marshal.FreeCoTaskMem(pointer);
            _ = DestroyAttributes(attributes);
        }
    }

    /// <summary>Waits for any child; returns its number, or -errno.</summary>
    internal static int WaitAny(out int status)
    {
        int value = 0;
        int process = WaitProcess(-1, &value, 0);
        status = value;
        return process >= 0 ? process : -Marshal.GetLastPInvokeError();
    }

    private static nint[] Pointers(IReadOnlyList<string> texts)
    {
        nint[] pointers = new nint[texts.Count + 1];
        for (int i = 0; i < texts.Count; i++)
            pointers[i] = Marshal.StringToCoTaskMemUTF8(texts[i]);
        return pointers;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUserId();

    [LibraryImport("libc", EntryPoint = "getegid")]
    internal static partial uint EffectiveGroupId();

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int descriptor, byte* data, nuint size);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    internal static partial int ChangeOwner(int descriptor, uint user, uint group);

    internal static string? RealPath(string path)
    {
        byte* resolved = ResolvePath(path, null);
        if (resolved == null)
            return null;
        string? text = Marshal.PtrToStringUTF8((nint)resolved);
        NativeMemory.Free(resolved);
        return text;
    }

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* ResolvePath(string path, byte* resolved);

    [LibraryImport("libc", EntryPoint = "tcgetpgrp", SetLastError = true)]
    internal static partial int ForegroundGroup(int descriptor);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    internal static partial int OwnGroup();

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static partial int Pipe(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitProcess(int process, int* status, int options);

    [LibraryImport("libc", EntryPoint = "posix_spawnp", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SpawnByPath(int* process, string file, nint actions, byte* attributes, nint* arguments, nint* environment);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int InitAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int DestroyAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(byte* attributes, byte* set);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefaults(byte* attributes, byte* set);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    private static partial int EmptySet(byte* set);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int FillSet(byte* set);
}
