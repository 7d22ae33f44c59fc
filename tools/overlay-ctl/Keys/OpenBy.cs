using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Overlay.Metadata.Interop;

namespace Overlay.Ctl.Keys;

/// <summary>Which processes have files open or mapped, as far as /proc tells us.</summary>
internal static class OpenBy
{
    internal static SortedDictionary<int, string> Find(IEnumerable<ShredTarget> targets)
    {
        HashSet<(ulong Device, ulong Inode)> wanted = targets.Select(target => (target.Device, target.Inode)).ToHashSet();
        SortedDictionary<int, string> found = [];
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number != Environment.ProcessId && HasOpen(process, wanted))
                found[number] = NameOf(process);
        }
        return found;
    }

    private static unsafe bool HasOpen(string process, HashSet<(ulong Device, ulong Inode)> wanted)
    {
        try
        {
            foreach (string descriptor in Directory.EnumerateFileSystemEntries(process + "/fd"))
            {
                FileStatus status;
                if (FileCalls.Stat(FileCalls.CurrentDirectory, descriptor, 0, FileCalls.StatBasic, &status) == 0 && wanted.Contains((status.Device, status.Inode)))
                    return true;
            }
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended, or is another user's
        }
    }

    private static string NameOf(string process)
    {
        try
        {
            return File.ReadAllText(process + "/comm").TrimEnd('\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
