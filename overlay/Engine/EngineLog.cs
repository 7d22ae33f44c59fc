using System;
using System.Collections.Generic;
using System.Text;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>
/// One line a fault, <c>overlay: file: cause</c>, to standard error or to the file that OVERLAY_LOG names; the same line at most
/// three times in a process.
/// </summary>
internal static unsafe class EngineLog
{
    private const int Repeats = 3;
    private const int Remembered = 256;

    private static readonly Dictionary<string, int> s_seen = [];

    internal static void Write(string subject, string cause)
    {
        string line = $"overlay: {subject}: {cause}\n";
        lock (s_seen)
        {
            int count = s_seen.GetValueOrDefault(line);
            if (count >= Repeats)
                return;
            if (s_seen.Count >= Remembered)
                s_seen.Clear();
            s_seen[line] = count + 1;
        }
        string? path = Environment.GetEnvironmentVariable("OVERLAY_LOG");
        bool isFile = !string.IsNullOrEmpty(path) && path != "stderr";
        int fd = isFile ? KernelFile.Open(Kernel.CurrentDirectory, path!, Kernel.O_WRONLY | Kernel.O_APPEND | Kernel.O_CREAT, 0x180) : 2;
        WriteTo(fd < 0 ? 2 : fd, Encoding.UTF8.GetBytes(line));
        if (isFile && fd >= 0)
            _ = Kernel.Close(fd);
    }

    private static void WriteTo(int fd, byte[] line)
    {
        if (IsSealed(fd))
            return;
        fixed (byte* start = line)
            _ = Kernel.Write(fd, start, (nuint)line.Length);
    }

    /// <summary>Standard error may be a sealed file's: what it would get is plaintext in the middle of its blocks. Then nobody is told.</summary>
    private static bool IsSealed(int fd)
    {
        Kernel.StatusBuffer status;
        byte empty = 0;
        return Kernel.Status(fd, &empty, Kernel.StatusBuffer.EmptyPath, Kernel.StatusBuffer.Basic, &status) == 0 &&
            (status.Mode & Kernel.StatusBuffer.TypeMask) == Kernel.StatusBuffer.Regular && (status.Mode & Kernel.StatusBuffer.Sticky) != 0;
    }
}

/// <summary>
/// Puts the file's name in front of what a sealed file has to say: the name that the kernel gives it then, since asking costs as
/// much as the rest of an open.
/// </summary>
internal sealed class FileLog(OpenFile file) : IFaultLog
{
    public string Path => file.Descriptor >= 0 ? KernelFile.PathOf(file.Descriptor) : "a file that is closed";

    public void Write(string cause) => EngineLog.Write(Path, cause);
}
