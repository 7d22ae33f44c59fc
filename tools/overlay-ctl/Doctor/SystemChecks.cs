using System;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Overlay.Crypto;
using Overlay.Interop;
using Overlay.Metadata.Agent;

namespace Overlay.Ctl.Doctor;

/// <summary>The kernel, the processor, limits, and what was installed.</summary>
internal static unsafe class SystemChecks
{
    private const ulong FewDescriptors = 1024, TooFewDescriptors = 64, KeyRegion = 32 << 10, SomeAddressSpace = 2UL << 30;

    internal static void Run(CheckList checks)
    {
        checks.Begin("system");
        CheckKernel(checks);
        CheckProcessor(checks);
        CheckProc(checks);
        CheckMemoryFiles(checks);
        CheckWipeOnFork(checks);
        CheckProgramsInMemory(checks);
        CheckSeccomp(checks);
        CheckLimits(checks);
        CheckRuntimeDirectory(checks);
        CheckInstallation(checks);
    }

    private static void CheckKernel(CheckList checks)
    {
        Version version = Environment.OSVersion.Version;
        string release = $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}";
        if (version < new Version(4, 14))
            checks.Fail("kernel", release, "Linux 4.14 or newer is needed: memory that a forked child does not get keeps nonces from being used twice");
        else if (version < new Version(5, 10))
            checks.Warn("kernel", release, "Linux 5.10 is the oldest that was tried");
        else
            checks.Ok("kernel", release);
    }

    private static void CheckProcessor(CheckList checks)
    {
        if (RuntimeInformation.OSArchitecture != Architecture.X64)
        {
            checks.Fail("processor", RuntimeInformation.OSArchitecture.ToString(), "only x86-64 is supported");
            return;
        }
        string flags = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal)) ?? "";
        string[] wanted = ["aes", "pclmulqdq", "avx"];
        string[] missing = wanted.Except(flags.Split(' ')).ToArray();
        if (missing.Length == 0)
            checks.Ok("processor", "x86-64 with AES instructions");
        else
            checks.Warn("processor", $"x86-64 without {string.Join(", ", missing)}", "make volumes with 'overlay-ctl init --cipher xchacha20-poly1305'; aes-256-gcm is not available here");
    }

    private static void CheckProc(CheckList checks)
    {
        if (Directory.Exists("/proc/self/fd") && File.Exists("/proc/sys/kernel/random/boot_id"))
            checks.Ok("proc", "/proc is mounted");
        else
            checks.Fail("proc", "/proc is missing, or hides /proc/self/fd or the boot id", "mount /proc: it tells the path behind a descriptor");
    }

    private static void CheckMemoryFiles(CheckList checks)
    {
        int fd = Native.MakeMemoryFile("overlay-doctor", Native.CloseOnExecFlag);
        if (fd < 0)
        {
            checks.Fail("memory-files", $"memfd_create: errno {Kernel.LastError}", "allow memfd_create (seccomp?): shared mappings and programs in volumes need it");
            return;
        }
        checks.Ok("memory-files", "memfd_create works");
        if (TryLock(fd))
            checks.Ok("description-locks", "F_OFD_SETLK works");
        else
            checks.Fail("description-locks", $"F_OFD_SETLK: errno {Kernel.LastError}", "a kernel with open file description locks is needed");
        _ = Kernel.Close(fd);
    }

    internal static bool TryLock(int fd)
    {
        Kernel.FileLock held = new() { Type = 1, Length = 1 };
        return Native.Lock(fd, Kernel.F_OFD_SETLK, &held) == 0;
    }

    private static void CheckWipeOnFork(CheckList checks)
    {
        const nuint Page = 4096;
        nint at = Kernel.Map(0, Page, Kernel.PROT_READ | Kernel.PROT_WRITE, Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS, -1, 0);
        if (at != -1 && Kernel.Advise(at, Page, Native.WipeOnFork) == 0)
            checks.Ok("wipe-on-fork", "MADV_WIPEONFORK works");
        else
            checks.Fail("wipe-on-fork", $"MADV_WIPEONFORK: errno {Kernel.LastError}", "Linux 4.14 or newer is needed: nonces could be used twice");
        if (at != -1)
            _ = Kernel.Unmap(at, Page);
    }

    private static void CheckProgramsInMemory(CheckList checks)
    {
        const string Setting = "/proc/sys/vm/memfd_noexec";
        if (File.Exists(Setting) && File.ReadAllText(Setting).Trim() == "2")
            checks.Warn("programs-in-memory", "vm.memfd_noexec is 2: programs and libraries that lie in a volume cannot run", "set vm.memfd_noexec to 1 or 0");
        else
            checks.Ok("programs-in-memory", "programs that lie in a volume can run");
    }

    private static void CheckSeccomp(CheckList checks)
    {
        string mode = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("Seccomp:", StringComparison.Ordinal)) ?? "";
        checks.Ok("seccomp", mode.EndsWith('2') ? "a filter is active; the calls that are checked here get through it" : "no filter");
    }

    private static void CheckLimits(CheckList checks)
    {
        ulong descriptors = Limit(Native.LimitOfDescriptors), locked = Limit(Native.LimitOfLockedMemory), space = Limit(Native.LimitOfAddressSpace);
        if (descriptors < TooFewDescriptors)
            checks.Fail("descriptors", $"{descriptors} a process", "raise it to 1024 (ulimit -n): the engine needs four, and one for some of the files that are written");
        else if (descriptors < FewDescriptors)
            checks.Warn("descriptors", $"{descriptors} a process", "raise it to 1024 (ulimit -n): the engine's lie at 768 and above where there is room, out of the program's way");
        else
            checks.Ok("descriptors", $"{Text(descriptors)} a process");
        if (locked < KeyRegion)
            checks.Warn("locked-memory", $"{locked} bytes a process", "raise it to 64 KiB (ulimit -l 64): keys in use may be swapped to disk otherwise");
        else
            checks.Ok("locked-memory", $"{Text(locked)} bytes a process");
        if (space < SomeAddressSpace)
            checks.Warn("address-space", $"{space} bytes a process", "raise it to 2 GiB (ulimit -v): the engine reserves 0.7 GiB of addresses");
        else
            checks.Ok("address-space", $"{Text(space)} bytes a process");
    }

    private static string Text(ulong limit) => limit == ulong.MaxValue ? "unlimited" : limit.ToString(System.Globalization.CultureInfo.InvariantCulture);

    internal static ulong Limit(int resource)
    {
        Kernel.Limit limit;
        return Kernel.GetLimit(resource, &limit) == 0 ? limit.Soft : ulong.MaxValue;
    }

    private static void CheckRuntimeDirectory(CheckList checks)
    {
        try
        {
            checks.Ok("runtime-directory", Path.GetDirectoryName(AgentAddress.ForRun(Environment.ProcessId))!);
        }
        catch (Exception exception) when (exception is ErrnoException or IOException or UnauthorizedAccessException)
        {
            checks.Fail("runtime-directory", exception.Message, $"name another directory in {AgentAddress.RuntimeDirectoryVariable}: agents listen there");
        }
    }

    private static void CheckInstallation(CheckList checks)
    {
        string[] missing = Layout.Missing();
        if (missing.Length == 0)
            checks.Ok("installation", "complete");
        else
            checks.Fail("installation", $"missing: {string.Join(", ", missing)}", "run 'make build', or install again");
    }
}
