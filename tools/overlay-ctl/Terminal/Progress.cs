using System;
using System.Globalization;

namespace Overlay.Ctl.Terminal;

/// <summary>Words and bars for how far something is.</summary>
internal static class Progress
{
    /// <summary>A bar that gives way to the words where the line is narrow.</summary>
    /// <param name="part">0 to 1.</param>
    internal static string Line(double part, string words, TimeSpan elapsed, int width)
    {
        const int Widest = 30, Narrowest = 5, Around = 3;
        string left = part > 0 && elapsed > TimeSpan.Zero ? $", {Duration(TimeSpan.FromSeconds(elapsed.TotalSeconds * (1 - part) / part))} left" : "";
        int room = Math.Min(Widest, width - 1 - words.Length - left.Length - Around);
        if (room < Narrowest)
            return Screen.Fit(words + left, width);
        int filled = (int)(Math.Clamp(part, 0, 1) * room);
        return $"[{new string('#', filled)}{new string('.', room - filled)}] {words}{left}";
    }

    internal static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        double value = bytes;
        int unit = 0;
        for (; value >= 1024 && unit < units.Length - 1; unit++)
            value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }

    internal static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}" : $"{time.Minutes}:{time.Seconds:00}";
}
