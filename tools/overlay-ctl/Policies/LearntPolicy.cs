using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Overlay.Crypto;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Policy;

namespace Overlay.Ctl.Policies;

/// <summary>What programs were given, as rules: for each program and user the directories, or the tops of trees where those are many.</summary>
internal sealed class LearntPolicy
{
    private const int MostDirectories = 8;

    private readonly SortedDictionary<(string Executable, long UserId), SortedSet<string>> _seen = [];
    private readonly SortedSet<string> _nameless = new(StringComparer.Ordinal);

    internal bool IsEmpty => _seen.Count == 0;

    internal void Take(AuditRecord record)
    {
        if (record.Event is not (AuditKinds.Grant or AuditKinds.Created) || record.Path is not { Length: > 0 } path)
            return;
        if (!record.Executable.StartsWith('/') || record.Executable.StartsWith("/memfd:", StringComparison.Ordinal))
        {
            _nameless.Add(record.Executable.Length == 0 ? "?" : record.Executable);
            return;
        }
        (string, long) who = (PathOf(record.Executable), record.UserId);
        if (!_seen.TryGetValue(who, out SortedSet<string>? directories))
            _seen[who] = directories = new SortedSet<string>(StringComparer.Ordinal);
        directories.Add(Path.GetDirectoryName(path) ?? "");
    }

    internal string Write(bool withDigests)
    {
        StringBuilder text = new("# Proposed by 'overlay-ctl policy learn' from what was given so far. Read it; then 'overlay-ctl policy set'.\ndefault deny\n");
        foreach (((string executable, long userId), SortedSet<string> directories) in _seen)
        {
            List<string> words = ["allow", "exe", Escape(executable), "user", userId.ToString(System.Globalization.CultureInfo.InvariantCulture)];
            if (withDigests && DigestOf(executable) is string digest)
                words.AddRange(["sha256", digest]);
            text.Append(Join(words)).Append('\n');
            foreach (string pattern in Patterns(directories))
                text.Append("    ").Append(Join(["path", pattern])).Append('\n');
        }
        foreach (string name in _nameless)
            text.Append("# without a rule, since no path names it: ").Append(string.Concat(name.Where(c => !char.IsControl(c)))).Append('\n');
        return text.ToString();
    }

    private static List<string> Patterns(SortedSet<string> directories)
    {
        if (directories.Count <= MostDirectories)
            return [.. directories.Select(directory => directory.Length == 0 ? "*" : $"{Escape(directory)}/*")];
        SortedSet<string> tops = new(directories.Select(directory => directory.Split('/')[0]), StringComparer.Ordinal);
        return tops.Count > MostDirectories ? ["**"] : [.. tops.Select(top => top.Length == 0 ? "*" : $"{Escape(top)}/**")];
    }

    private static string? DigestOf(string executable)
    {
        if (!File.Exists(executable))
            return null;
        using FileStream file = new(executable, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        return FileDigest.Sha256(file);
    }

    private static string PathOf(string executable) => executable.EndsWith(" (deleted)", StringComparison.Ordinal) ? executable[..^10] : executable;

    private static string Escape(string path) => string.Concat(path.Select(c => c is '*' or '?' or '[' or '\\' ? $"\\{c}" : $"{c}"));

    private static string Join(IEnumerable<string> words) => PolicyWords.Join(words);
}
