using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Text;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Audit;

/// <summary>Writes records to standard output.</summary>
internal static class AuditPrinter
{
    internal static int Print(string volume, Predicate<AuditRecord> isWanted, AuditFormat format)
    {
        VolumePaths paths = new(volume);
        string store = paths.Store(VolumeConfig.Load(paths.Root));
        bool isSound = true;
        using Stream output = Console.OpenStandardOutput();
        using BufferedStream buffered = new(output, 1 << 16);
        foreach (AuditRecord record in AuditReader.ReadAll(store))
        {
            isSound &= record.IsSound;
            if (record.IsSound && isWanted(record))
                buffered.Write(Line(record, format));
        }
        if (!isSound)
            Console.Error.WriteLine("overlay-ctl: some lines of the log are no records: see 'overlay-ctl audit verify'.");
        return isSound ? ExitCodes.Ok : ExitCodes.Damaged;
    }

    internal static byte[] Line(AuditRecord record, AuditFormat format) => format switch
    {
        AuditFormat.Json => record.Line.ToArray(),
        AuditFormat.Cef => Encoding.UTF8.GetBytes(Cef(record) + "\n"),
        AuditFormat.Syslog => Encoding.UTF8.GetBytes(Syslog(record) + "\n"),
        _ => Encoding.UTF8.GetBytes(Text(record) + "\n"),
    };

    private static string Text(AuditRecord record)
    {
        string about = record.Path is { Length: > 0 } path ? path : record.File ?? (record.Files > 0 ? $"{record.Files} files" : "");
        StringBuilder line = new($"{record.Time}  {record.Event,-14}  {record.Result}  uid {record.UserId} pid {record.ProcessId} {record.Executable}");
        if (about.Length > 0)
            line.Append("  ").Append(about);
        if (record.Detail is string detail)
            line.Append("  (").Append(detail).Append(')');
        if (record.Count > 1)
            line.Append("  ").Append(record.Count).Append(" times");
        return Verify.FindingText.Escape(line.ToString());
    }

    /// <summary>CEF:0|vendor|product|version|event class|name|severity|extension; in the header \ and | are escaped, in the extension \, = and line ends.</summary>
    private static string Cef(AuditRecord record)
    {
        int severity = record.Event == AuditKinds.Denied ? 7 : record.Event is AuditKinds.Administration or AuditKinds.Log ? 5 : 1;
        StringBuilder line = new($"CEF:0|Overlay|overlay-ctl|1|{record.Event}|{record.Event}: {record.Result.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal)}|{severity}|");
        line.Append("externalId=").Append(record.Sequence);
        foreach ((string name, string value) in Members(record, "rt", "suid", "cs1", "spid", "sproc", "fileId", "filePath", "msg", "cnt", "outcome"))
            line.Append(' ').Append(name).Append('=').Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("=", "\\=", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal));
        return line.Append(" cs1Label=gid").ToString();
    }

    /// <summary>Facility 13 (log audit); severity warning for denials, notice for administration, else informational.</summary>
    private static string Syslog(AuditRecord record)
    {
        int severity = record.Event == AuditKinds.Denied ? 4 : record.Event is AuditKinds.Administration or AuditKinds.Log ? 5 : 6;
        StringBuilder line = new($"<{13 * 8 + severity}>1 {record.Time} {Dns.GetHostName()} overlay {record.ProcessId} {record.Event} [overlay@32473 sequence=\"{record.Sequence}\"");
        foreach ((string name, string value) in Members(record, "", "uid", "gid", "pid", "exe", "file", "path", "detail", "count", "result"))
            line.Append(' ').Append(name).Append("=\"").Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal).Replace("\n", " ", StringComparison.Ordinal)).Append('"');
        return line.Append(']').ToString();
    }

    /// <summary>The names that a format has for the members; "": it has the member elsewhere.</summary>
    private static IEnumerable<(string Name, string Value)> Members(AuditRecord record, params string[] names)
    {
        string?[] values =
        [
            record.Time, $"{record.UserId}", $"{record.GroupId}", $"{record.ProcessId}", record.Executable, record.File ?? (record.Files > 0 ? $"{record.Files} files" : null),
            record.Path, record.Detail, record.Count > 1 ? $"{record.Count}" : null, record.Result,
        ];
        for (int i = 0; i < names.Length; i++)
            if (names[i].Length > 0 && values[i] is { Length: > 0 } value)
                yield return (names[i], value);
    }
}
