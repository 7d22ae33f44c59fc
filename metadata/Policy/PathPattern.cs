using System;
using System.Collections.Generic;

namespace Overlay.Metadata.Policy;

/// <summary>
/// A glob: ? is a character and * any number of them, but '/'; ** is any number of any, and "**/" at the beginning of a part may be nothing; [a-z] and
/// [!a-z] are one of, or none of, these characters, but '/'; a backslash takes the next character as it is. Time is length of pattern times length of path.
/// </summary>
public sealed class PathPattern
{
    internal const int MostLength = 1024;

    private readonly List<Token> _tokens = [];

    private PathPattern(string text) => Text = text;

    private enum Kind
    {
        Character,
        One,
        Set,
        Star,
        StarStar,

        /// <summary>The next two tokens may be left out.</summary>
        Optional,
    }

    public string Text { get; }

    /// <summary>Null: <paramref name="error"/> says what is wrong with it.</summary>
    internal static PathPattern? TryParse(string text, out string error)
    {
        PathPattern pattern = new(text);
        error = text.Length == 0 ? "an empty pattern" : text.Length > MostLength ? $"a pattern of more than {MostLength} characters" : "";
        for (int at = 0; at < text.Length && error.Length == 0;)
            at = pattern.Take(text, at, ref error);
        return error.Length == 0 ? pattern : null;
    }

    public bool Matches(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        Span<bool> now = stackalloc bool[_tokens.Count + 1], next = stackalloc bool[_tokens.Count + 1];
        now.Clear();
        Enter(now, 0);
        foreach (char c in path)
        {
            next.Clear();
            for (int i = 0; i < _tokens.Count; i++)
                if (now[i] && _tokens[i].Takes(c))
                    Enter(next, _tokens[i].What is Kind.Star or Kind.StarStar ? i : i + 1);
            next.CopyTo(now);
        }
        return now[_tokens.Count];
    }

    /// <summary>Marks a state, and those that are reached from it by nothing.</summary>
    private void Enter(Span<bool> states, int state)
    {
        if (states[state])
            return;
        states[state] = true;
        if (state == _tokens.Count)
            return;
        if (_tokens[state].What is Kind.Star or Kind.StarStar or Kind.Optional)
            Enter(states, state + 1);
        if (_tokens[state].What == Kind.Optional)
            Enter(states, state + 3);
    }

    private int Take(string text, int at, ref string error)
    {
        char c = text[at];
        if (c == '*' && at + 1 < text.Length && text[at + 1] == '*')
            return TakeStars(text, at);
        if (c == '[')
            return TakeSet(text, at, ref error);
        if (c == '\\' && ++at == text.Length)
        {
            error = $"\"{text}\" ends with a backslash";
            return at;
        }
        Add(c switch { '*' => Kind.Star, '?' => Kind.One, _ => Kind.Character }, text[at]);
        return at + 1;
    }

    private int TakeStars(string text, int at)
    {
        bool beginsPart = at == 0 || text[at - 1] == '/';
        while (at < text.Length && text[at] == '*')
            at++;
        if (beginsPart && at < text.Length && text[at] == '/')
            Add(Kind.Optional, ' ');
        Add(Kind.StarStar, ' ');
        return at;
    }

    private int TakeSet(string text, int at, ref string error)
    {
        int first = at + 1 < text.Length && text[at + 1] is ('!' or '^') ? at + 2 : at + 1;
        int end = first < text.Length ? text.IndexOf(']', first + 1) : -1;
        if (end < 0)
        {
            error = $"\"{text}\" has a [ without ]";
            return text.Length;
        }
        _tokens.Add(new Token(Kind.Set, ' ', text[first..end], first == at + 2));
        return end + 1;
    }

    private void Add(Kind kind, char c) => _tokens.Add(new Token(kind, c, "", false));

    private readonly record struct Token(Kind What, char Character, string Set, bool IsNegated)
    {
        internal bool Takes(char c) => What switch
        {
            Kind.Character => c == Character,
            Kind.StarStar => true,
            Kind.Set => c != '/' && IsInSet(c) != IsNegated,
            Kind.Optional => false,
            _ => c != '/',
        };

        private bool IsInSet(char c)
        {
            for (int i = 0; i < Set.Length; i++)
            {
                bool isRange = i + 2 < Set.Length && Set[i + 1] == '-';
                if (isRange ? c >= Set[i] && c <= Set[i + 2] : c == Set[i])
                    return true;
                i += isRange ? 2 : 0;
            }
            return false;
        }
    }
}
