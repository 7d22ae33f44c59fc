using System;
using System.Globalization;
using System.Text;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>How much of the memory the block cache may take: a sixteenth, and 256 MiB at most, unless <c>OVERLAY_CACHE</c> says otherwise.</summary>
/// <remarks>
/// What counts as "the memory" is the least of the machine's, of what control groups allow, and of what the address space (ulimit -v, -d) may
/// take. As long as the machine has a quarter of its memory to spare, that is: there may be very many processes.
/// </remarks>
internal sealed unsafe class MemoryShare : ICacheRoom
{
    internal const long Usual = 256L << 20;
    private const int Share = 16, Spare = 4;
    private const long LargestSetting = 1L << 40;

    private readonly long? _setting;

    /// <param name="setting">What the user wants, in the text of <see cref="Parse"/>, or null.</param>
    internal MemoryShare(string? setting) => _setting = Parse(setting);

    public long Greatest => _setting ?? Math.Min(Usual, Available() / Share);

    public bool MayGrowBy(long bytes) => _setting is not null || (Kernel.IsFree && ToSpare() - bytes > TotalMemory() / Spare);

    /// <summary>Bytes, or with K, M or G behind it that much. Null: there is none, or nobody understands it.</summary>
    internal static long? Parse(string? setting)
    {
        if (string.IsNullOrEmpty(setting))
            return null;
        int shift = char.ToUpperInvariant(setting[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        string digits = shift == 0 ? setting : setting[..^1];
        if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long count) && count <= LargestSetting >> shift)
            return count << shift;
        EngineLog.Write("OVERLAY_CACHE", "not a number of bytes such as 67108864, 64M or 1G: the usual size is taken");
        return null;
    }

    private static long Available()
    {
        const int AddressSpace = 9, Data = 2;
        return Math.Min(Math.Min(TotalMemory(), OfControlGroups()), Math.Min(LimitOf(AddressSpace), LimitOf(Data)));
    }

    /// <summary>0 where the kernel does not say.</summary>
    private static long TotalMemory()
    {
        Kernel.SystemInformation system;
        return Kernel.Information(&system) == 0 ? (long)Math.Min(system.TotalMemory * system.Unit, long.MaxValue) : 0;
    }

    /// <summary>What could be had without swapping.</summary>
    private static long ToSpare()
    {
        const string Name = "MemAvailable:", Unit = " kB";
        foreach (string line in ReadText(KernelFile.Proc, "meminfo").Split('\n'))
            if (line.StartsWith(Name, StringComparison.Ordinal) && line.EndsWith(Unit, StringComparison.Ordinal) &&
                long.TryParse(line[Name.Length..^Unit.Length], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out long kilobytes))
                return kilobytes << 10;
        return 0;
    }

    private static long LimitOf(int resource)
    {
        Kernel.Limit limit;
        return Kernel.GetLimit(resource, &limit) == 0 ? (long)Math.Min(limit.Soft, long.MaxValue) : long.MaxValue;
    }

    /// <summary>The least limit of the process's group and of those above it, of either version; what cannot be read limits nothing.</summary>
    private static long OfControlGroups()
    {
        long least = long.MaxValue;
        foreach (string line in ReadText(KernelFile.Proc, "self/cgroup").Split('\n'))
        {
            string[] fields = line.Split(':', 3);
            if (fields.Length != 3)
                continue;
            if (fields[1].Length == 0)
                least = Math.Min(least, LeastUpwards("/sys/fs/cgroup", fields[2], "memory.max"));
            else if (Array.IndexOf(fields[1].Split(','), "memory") >= 0)
                least = Math.Min(least, LeastUpwards("/sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes"));
        }
        return least;
    }

    private static long LeastUpwards(string root, string group, string name)
    {
        long least = long.MaxValue;
        for (string at = group.TrimEnd('/'); ; at = at[..at.LastIndexOf('/')])
        {
            if (long.TryParse(ReadText(Kernel.CurrentDirectory, $"{root}{at}/{name}").Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long limit))
                least = Math.Min(least, limit);
            if (at.Length == 0)
                return least;
        }
    }

    private static string ReadText(int directory, string path)
    {
        int fd = KernelFile.Open(directory, path, Kernel.O_RDONLY);
        if (fd < 0)
            return "";
        Span<byte> text = stackalloc byte[2048];
        fixed (byte* start = text)
        {
            nint count = Kernel.Read(fd, start, (nuint)text.Length);
            _ = Kernel.Close(fd);
            return count <= 0 ? "" : Encoding.UTF8.GetString(text[..(int)count]);
        }
    }
}
