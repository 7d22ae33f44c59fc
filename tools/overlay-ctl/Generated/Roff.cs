using System;
using System.Globalization;
using System.Text;

namespace Overlay.Ctl.Generated;

/// <summary>Text for man(7).</summary>
internal static class Roff
{
    /// <summary>Text as it is: nothing of it is a request, and what is not ASCII is named, so that every formatter reads it alike.</summary>
    internal static string Text(string text)
    {
        StringBuilder roff = new();
        foreach (Rune rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '\\' => roff.Append("\\e"),
                '-' => roff.Append("\\-"),
                '\'' => roff.Append("\\(aq"),
                '`' => roff.Append("\\(ga"),
                '^' => roff.Append("\\(ha"),
                '~' => roff.Append("\\(ti"),
                > 127 => roff.Append(CultureInfo.InvariantCulture, $"\\[u{rune.Value:X4}]"),
                _ => roff.Append(rune.ToString()),
            };
        }
        return roff.Length > 0 && roff[0] is '.' ? "\\&" + roff : roff.ToString();
    }

    /// <summary>One argument of a request.</summary>
    internal static string Argument(string text) => $"\"{Text(text).Replace("\"", "\\(dq", StringComparison.Ordinal)}\"";
}
