using System;

namespace Overlay.Ctl.Keys;

/// <summary>
/// Patterns for paths relative to a volume: ? is a character and * any number of them but '/', ** any number of any. Everything else is itself.
/// </summary>
internal static class PathGlob
{
    internal static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> path)
    {
        while (!pattern.IsEmpty)
        {
            if (pattern[0] == '*')
                return MatchesStar(pattern, path);
            if (path.IsEmpty || (pattern[0] == '?' ? path[0] == '/' : path[0] != pattern[0]))
                return false;
            pattern = pattern[1..];
            path = path[1..];
        }
        return path.IsEmpty;
    }

    private static bool MatchesStar(ReadOnlySpan<char> pattern, ReadOnlySpan<char> path)
    {
        bool crosses = pattern.StartsWith("**");
        ReadOnlySpan<char> rest = pattern.TrimStart('*');
        // "a/**/b" is also "a/b".
        if (crosses && rest.StartsWith("/") && Matches(rest[1..], path))
            return true;
        for (int i = 0; ; i++)
        {
            if (Matches(rest, path[i..]))
                return true;
            if (i == path.Length || (!crosses && path[i] == '/'))
                return false;
        }
    }
}
