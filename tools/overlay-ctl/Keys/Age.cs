using System;
using System.Globalization;

namespace Overlay.Ctl.Keys;

/// <summary>Spans of time as people give and read them.</summary>
internal static class Age
{
    /// <summary>"365d", "52w", "2y", "12h"; a number alone is days.</summary>
    internal static TimeSpan Parse(string text)
    {
        string number = text.TrimEnd('h', 'd', 'w', 'y');
        double hours = text.Length == number.Length ? 24 : text[^1] switch { 'h' => 1, 'd' => 24, 'w' => 7 * 24, _ => 365 * 24 };
        bool isSound = text.Length - number.Length <= 1 && double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
        double count = isSound ? double.Parse(number, CultureInfo.InvariantCulture) : -1;
        if (count is < 0 or > 100_000)
            throw new ControlException(ExitCodes.Usage, $"{text}: a time is a number and h, d, w or y, for example 365d.");
        return TimeSpan.FromHours(count * hours);
    }

    internal static string Days(DateTimeOffset since) => $"{Math.Max(0, (long)(DateTimeOffset.UtcNow - since).TotalDays)} d";

    internal static string Date(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    internal static string Exact(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
