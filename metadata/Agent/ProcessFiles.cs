using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;

namespace Overlay.Metadata.Agent;

/// <summary>What /proc says of a process; nothing where it may not be looked at, or is gone.</summary>
internal static class ProcessFiles
{
    private const int StartTimeField = 22;

    internal static string PathOf(int processId, string name) => $"/proc/{processId.ToString(CultureInfo.InvariantCulture)}/{name}";

    /// <summary>In clock ticks since the boot: with the process id, it names a process for good. -1: not known.</summary>
    internal static long StartTime(int processId) => ParseStartTime(Read(processId, "stat"));

    /// <summary>"pid (name) state ppid …"; the name may hold anything, so the last parenthesis counts.</summary>
    internal static long ParseStartTime(ReadOnlySpan<byte> stat)
    {
        int at = stat.LastIndexOf((byte)')') + 2;
        if (at < 2 || at > stat.Length)
            return -1;
        ReadOnlySpan<byte> rest = stat[at..];
        for (int field = 3; field < StartTimeField; field++)
        {
            int space = rest.IndexOf((byte)' ');
            if (space < 0)
                return -1;
            rest = rest[(space + 1)..];
        }
        return Utf8Parser.TryParse(rest, out long time, out _) ? time : -1;
    }

    /// <summary>The user that it acts as, and all its groups. False: not known.</summary>
    internal static bool TryReadOwner(int processId, out uint userId, out List<uint> groupIds)
    {
        userId = 0;
        groupIds = [];
        bool hasUser = false;
        foreach (string line in Encoding.UTF8.GetString(Read(processId, "status")).Split('\n'))
        {
            string[] words = line.Split((char[])['\t', ' '], StringSplitOptions.RemoveEmptyEntries);
            // Real, effective, saved, of the file system.
            if (words is ["Uid:", _, string effective, ..])
                hasUser = uint.TryParse(effective, NumberStyles.None, CultureInfo.InvariantCulture, out userId);
            else if (words is ["Gid:", _, string effectiveGroup, ..])
                AddGroup(groupIds, effectiveGroup);
            else if (words is ["Groups:", .. string[] groups])
                AddGroups(groupIds, groups);
        }
        return hasUser;
    }

    private static void AddGroups(List<uint> groups, string[] texts)
    {
        foreach (string text in texts)
            AddGroup(groups, text);
    }

    private static void AddGroup(List<uint> groups, string text)
    {
        if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint id))
            groups.Add(id);
    }

    private static byte[] Read(int processId, string name)
    {
        try
        {
            return File.ReadAllBytes(PathOf(processId, name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
