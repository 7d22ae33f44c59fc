using System;
using System.Collections.Generic;
using System.IO;

namespace Overlay.Metadata.Audit;

/// <summary>The records of a log, one after the other. Nothing is checked: <see cref="AuditVerifier"/> does that.</summary>
public static class AuditReader
{
    private const int MostLine = 1 << 20;

    /// <summary>Of all files beside a store.</summary>
    public static IEnumerable<AuditRecord> ReadAll(string storePath)
    {
        string directory = AuditFiles.DirectoryOf(storePath);
        foreach (long number in AuditFiles.List(directory))
            foreach (AuditRecord record in Read(AuditFiles.PathOf(directory, number)))
                yield return record;
    }

    /// <summary>Of one file. What lacks a line feed at the end is a record, too; no line is longer than 1 MiB.</summary>
    internal static IEnumerable<AuditRecord> Read(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        List<byte> line = [];
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = file.Read(buffer)) > 0;)
        {
            for (int at = 0; at < count;)
            {
                int end = Array.IndexOf(buffer, (byte)'\n', at, count - at);
                int next = end < 0 ? count : end + 1;
                line.AddRange(buffer.AsSpan(at, next - at));
                at = next;
                if (end < 0 && line.Count < MostLine)
                    continue;
                yield return new AuditRecord(line.ToArray());
                line.Clear();
            }
        }
        if (line.Count > 0)
            yield return new AuditRecord(line.ToArray());
    }
}
