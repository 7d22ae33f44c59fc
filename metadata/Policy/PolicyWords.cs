using System;
using System.Collections.Generic;
using System.Text;

namespace Overlay.Metadata.Policy;

/// <summary>
/// Cuts a document into statements and those into words. A line that begins with white space goes on with the statement above; # begins a comment where a
/// word could begin; "a word with spaces" may have \" and \\ in it.
/// </summary>
internal sealed class PolicyWords(List<PolicyError> errors)
{
    internal List<(int Line, List<string> Words, string Text)> Statements { get; } = [];

    internal void Read(string text)
    {
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd('\r');
            List<string> words = Split(line, i + 1);
            if (words.Count == 0)
                continue;
            bool continues = line[0] is ' ' or '\t';
            if (!continues)
                Statements.Add((i + 1, words, Join(words)));
            else if (Statements.Count == 0)
                errors.Add(new PolicyError(i + 1, "a line that begins with white space goes on with a statement, and there is none above"));
            else
                Append(words);
        }
    }

    private void Append(List<string> words)
    {
        (int line, List<string> before, _) = Statements[^1];
        before.AddRange(words);
        Statements[^1] = (line, before, Join(before));
    }

    /// <summary>As one would write it.</summary>
    internal static string Join(IEnumerable<string> words)
    {
        StringBuilder text = new();
        foreach (string word in words)
            text.Append(text.Length > 0 ? " " : "").Append(Quote(word));
        return text.ToString();
    }

    internal static string Quote(string word) => word.Length > 0 && word.AsSpan().IndexOfAny(" \t\r\"#") < 0
        ? word : $"\"{word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private List<string> Split(string line, int number)
    {
        List<string> words = [];
        for (int at = 0; ;)
        {
            while (at < line.Length && line[at] is (' ' or '\t'))
                at++;
            if (at == line.Length || line[at] == '#')
                return words;
            int start = at;
            if (line[at] == '"')
            {
                words.Add(TakeQuoted(line, ref at, number));
                continue;
            }
            while (at < line.Length && line[at] is not (' ' or '\t'))
                at++;
            words.Add(line[start..at]);
        }
    }

    private string TakeQuoted(string line, ref int at, int number)
    {
        StringBuilder word = new();
        for (at++; at < line.Length && line[at] != '"'; at++)
        {
            if (line[at] == '\\' && at + 1 < line.Length && line[at + 1] is ('"' or '\\'))
                at++;
            word.Append(line[at]);
        }
        if (at == line.Length)
            errors.Add(new PolicyError(number, "a \" without its other one"));
        else if (++at < line.Length && line[at] is not (' ' or '\t'))
            errors.Add(new PolicyError(number, "something follows directly behind a \""));
        return word.ToString();
    }
}
