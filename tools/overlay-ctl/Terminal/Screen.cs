using System;
using System.Globalization;

namespace Overlay.Ctl.Terminal;

/// <summary>What standard input, output and error are, and what may be done with them.</summary>
internal static class Screen
{
    internal const int Input = 0, Output = 1, Error = 2;
    private const int UsualWidth = 80, LeastWidth = 20;

    /// <summary>It can be written over: a terminal, and not one that says it is dumb.</summary>
    internal static bool CanDraw(int descriptor) => TerminalCalls.IsTerminal(descriptor) == 1 && !IsDumb;

    /// <summary>Colours: where one can draw, unless NO_COLOR (no-color.org) is set to anything.</summary>
    internal static bool HasColours(int descriptor) => CanDraw(descriptor) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Columns, as they are now; what is not known is taken for 80.</summary>
    internal static int Width(int descriptor) => Math.Max(LeastWidth, Size(descriptor, 1) ?? Number("COLUMNS") ?? UsualWidth);

    internal static int Height(int descriptor) => Size(descriptor, 0) ?? Number("LINES") ?? 24;

    /// <summary>Text in a colour of the eight (1 red, 2 green, 3 yellow), where there are colours.</summary>
    internal static string Colour(string text, int colour, int descriptor) => HasColours(descriptor) ? $"\u001b[3{colour}m{text}\u001b[0m" : text;

    internal static string Bold(string text, int descriptor) => HasColours(descriptor) ? $"\u001b[1m{text}\u001b[0m" : text;

    /// <summary>No longer than a line is wide: a longer one would be more lines, which nobody takes away again.</summary>
    internal static string Fit(string line, int width) => line.Length <= width ? line : line[..width];

    private static bool IsDumb => Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";

    /// <param name="which">0: rows, 1: columns.</param>
    private static unsafe int? Size(int descriptor, int which)
    {
        ushort* window = stackalloc ushort[4];
        return TerminalCalls.Request(descriptor, TerminalCalls.WindowSize, window) == 0 && window[which] > 0 ? window[which] : null;
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : null;
}
