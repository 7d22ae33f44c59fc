using System;
using System.CommandLine;
using System.Globalization;
using System.IO.Enumeration;
using Overlay.Metadata.Audit;

namespace Overlay.Ctl.Audit;

/// <summary>Which records are wanted.</summary>
internal sealed class AuditFilter
{
    private readonly Option<string?> _since = new("--since") { Description = "Not older: a time (2026-01-31, 2026-01-31T12:00:00Z) or an age (15m, 12h, 7d).", HelpName = "TIME" };
    private readonly Option<uint?> _user = new("--user") { Description = "Of that user's processes.", HelpName = "UID" };
    private readonly Option<string?> _exe = new("--exe") { Description = "Of programs whose path is this, or matches it (* and ?).", HelpName = "GLOB" };
    private readonly Option<string?> _path = new("--path") { Description = "About files whose last known path matches it.", HelpName = "GLOB" };
    private readonly Option<string?> _event = new("--event") { Description = "grant, new-keys, created, denied, administration or log.", HelpName = "EVENT" };

    internal void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _since, _user, _exe, _path, _event })
            command.Add(option);
    }

    internal Predicate<AuditRecord> Read(ParseResult parsed)
    {
        string? since = parsed.GetValue(_since) is string text ? Time(text) : null;
        uint? user = parsed.GetValue(_user);
        string? exe = parsed.GetValue(_exe), path = parsed.GetValue(_path), kind = parsed.GetValue(_event);
        return record => (since is null || string.CompareOrdinal(record.Time, since) >= 0)
            && (user is null || record.UserId == user)
            && (exe is null || FileSystemName.MatchesSimpleExpression(exe, record.Executable, ignoreCase: false))
            && (path is null || (record.Path is string known && FileSystemName.MatchesSimpleExpression(path, known, ignoreCase: false)))
            && (kind is null || record.Event == kind);
    }

    /// <summary>As records have it, so that texts can be compared.</summary>
    internal static string Time(string text)
    {
        DateTimeOffset time;
        if (text.Length > 1 && uint.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out uint count) && "smhd".Contains(text[^1]))
            time = DateTimeOffset.UtcNow - count * (text[^1] switch { 's' => TimeSpan.FromSeconds(1), 'm' => TimeSpan.FromMinutes(1), 'h' => TimeSpan.FromHours(1), _ => TimeSpan.FromDays(1) });
        else if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time))
            throw new ControlException(ExitCodes.Usage, $"--since {text}: neither a time nor an age.");
        return time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
    }
}
