using System;
using System.Buffers.Text;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Pages;

/// <summary>
/// A mapping of a sealed file takes memory at once where a plain one takes it page by page: what cannot fit is ENOMEM for the
/// program, before the kernel looks for a process to kill.
/// </summary>
internal static class MemoryRoom
{
    private const long AlwaysFits = 256 << 20;

    internal static void Check(long bytes)
    {
        if (bytes > AlwaysFits && bytes / 1024 > AvailableKilobytes())
            throw new ErrnoException(Errno.ENOMEM, "the file does not fit into memory");
    }

    private static long AvailableKilobytes()
    {
        int fd = KernelFile.Open(Kernel.CurrentDirectory, "/proc/meminfo", Kernel.O_RDONLY);
        if (fd < 0)
            return long.MaxValue; // no /proc here: the kernel decides
        Span<byte> text = stackalloc byte[2048];
        try
        {
            text = text[..KernelFile.Read(fd, 0, text)];
        }
        finally
        {
            _ = Kernel.Close(fd);
        }
        return Field(text, "MemAvailable:"u8, long.MaxValue / 2) + Field(text, "SwapFree:"u8, 0);
    }

    private static long Field(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name, long otherwise)
    {
        int start = text.IndexOf(name);
        return start >= 0 && Utf8Parser.TryParse(text[(start + name.Length)..].TrimStart((byte)' '), out long value, out _) ? value : otherwise;
    }
}
