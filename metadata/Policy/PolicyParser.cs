using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Numerics;
using Overlay.Crypto;

namespace Overlay.Metadata.Policy;

/// <summary>Text to policy, or to what is wrong with it, line by line. The language: docs/policy.md.</summary>
public sealed class PolicyParser
{
    internal const int MostCharacters = 256 * 1024, MostStatements = 4096, MostErrors = 20;

    private const int DigestLength = 64;

    private readonly IAccounts _accounts;
    private readonly List<PolicyError> _errors = [];
    private readonly List<PolicyRule> _rules = [];
    private readonly List<StorageRule> _storage = [];
    private PolicyAction? _default;

    private PolicyParser(IAccounts accounts) => _accounts = accounts;

    /// <returns>Null: <paramref name="errors"/> says why not.</returns>
    public static PolicyDocument? TryParse(string text, IAccounts accounts, out IReadOnlyList<PolicyError> errors)
    {
        ArgumentNullException.ThrowIfNull(text);
        PolicyParser parser = new(accounts);
        parser.Parse(text);
        errors = [.. parser._errors.OrderBy(error => error.Line).Take(MostErrors)];
        return errors.Count == 0 ? new PolicyDocument(text, parser._default ?? PolicyAction.Allow, parser._rules, parser._storage) : null;
    }

    private void Parse(string text)
    {
        if (text.Length > MostCharacters)
        {
            Fail(1, $"the policy is longer than {MostCharacters} characters");
            return;
        }
        PolicyWords words = new(_errors);
        words.Read(text);
        if (words.Statements.Count > MostStatements)
            Fail(words.Statements[MostStatements].Line, $"more than {MostStatements} statements");
        else
            words.Statements.ForEach(statement => Take(statement.Line, statement.Words, statement.Text));
    }

    private void Take(int line, List<string> words, string text)
    {
        switch (words[0])
        {
            case "default": TakeDefault(line, words); break;
            case "store": TakeStorage(line, words); break;
            case "allow" or "audit" or "ciphertext" or "deny": TakeRule(line, words, text); break;
            default: Fail(line, $"\"{words[0]}\": allow, audit, ciphertext, deny, store or default is expected"); break;
        }
    }

    private void TakeDefault(int line, List<string> words)
    {
        PolicyAction? action = words.Count == 2 ? ActionOf(words[1]) : null;
        if (action is null or PolicyAction.Ciphertext)
            Fail(line, "default: allow, audit or deny is expected behind it, and nothing else");
        else if (_default is not null)
            Fail(line, "default is said twice");
        _default ??= action;
    }

    private void TakeRule(int line, List<string> words, string text)
    {
        PolicyRule rule = new(line, ActionOf(words[0])!.Value, text);
        for (int i = 1; i < words.Count; i += 2)
        {
            if (Value(line, words, i) is string value)
                AddCondition(rule, line, words[i], value);
        }
        if (rule.Action == PolicyAction.Ciphertext && rule.Paths.Count > 0)
            Fail(line, "a ciphertext rule holds for the whole volume: it has no path");
        if (rule.Action == PolicyAction.Ciphertext && words.Count == 1)
            Fail(line, "a ciphertext rule needs a user, group, exe or sha256");
        _rules.Add(rule);
    }

    private void AddCondition(PolicyRule rule, int line, string kind, string value)
    {
        switch (kind)
        {
            case "path": AddPath(rule.Paths, line, value); break;
            case "exe": AddExecutable(rule, line, value); break;
            case "sha256": AddDigest(rule, line, value); break;
            case "user": AddAccount(rule.Users, line, kind, value, _accounts.FindUser); break;
            case "group": AddAccount(rule.Groups, line, kind, value, _accounts.FindGroup); break;
            default: Fail(line, $"\"{kind}\": path, user, group, exe or sha256 is expected"); break;
        }
    }

    private void TakeStorage(int line, List<string> words)
    {
        StorageRule rule = new(line);
        for (int i = 1; i < words.Count; i += 2)
        {
            if (Value(line, words, i) is string value)
                AddSetting(rule, line, words[i], value);
        }
        if (rule.Paths.Count == 0)
            Fail(line, "store needs a path (path ** is all of them)");
        if (!words.Any(word => word is "cipher" or "compression" or "block-size"))
            Fail(line, "store needs cipher, compression or block-size");
        _storage.Add(rule);
    }

    private void AddSetting(StorageRule rule, int line, string kind, string value)
    {
        switch (kind)
        {
            case "path":
                AddPath(rule.Paths, line, value);
                break;
            case "cipher":
                rule.Suite = CipherSuites.TryParse(value, out CipherSuite suite) ? suite : null;
                if (rule.Suite is null)
                    Fail(line, $"cipher \"{value}\": aes-256-gcm, aegis-256 or xchacha20-poly1305 is expected");
                break;
            case "compression":
                rule.Compress = value switch { "lz4" => true, "none" => false, _ => null };
                if (rule.Compress is null)
                    Fail(line, $"compression \"{value}\": lz4 or none is expected");
                break;
            case "block-size":
                rule.BlockSizeLog2 = BlockSizeLog2(value);
                if (rule.BlockSizeLog2 is null)
                    Fail(line, $"block-size \"{value}\": a power of two from 4K to 1M is expected");
                break;
            default:
                Fail(line, $"\"{kind}\": path, cipher, compression or block-size is expected");
                break;
        }
    }

    private static int? BlockSizeLog2(string value)
    {
        int unit = value.EndsWith('K') ? 1024 : value.EndsWith('M') ? 1 << 20 : 1;
        bool isNumber = int.TryParse(unit == 1 ? value : value[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        long size = (long)number * unit;
        return isNumber && size is >= 4096 and <= 1 << 20 && BitOperations.IsPow2(size) ? BitOperations.Log2((ulong)size) : null;
    }

    private void AddPath(List<PathPattern> paths, int line, string value)
    {
        if (value.StartsWith('/'))
            Fail(line, $"path \"{value}\": paths are relative to the volume, without a / in front");
        else if (value.EndsWith('/'))
            Fail(line, $"path \"{value}\": files are meant, not directories: {value}**");
        else
            AddPattern(paths, line, "path", value);
    }

    private void AddExecutable(PolicyRule rule, int line, string value)
    {
        if (value.StartsWith('/') || value.StartsWith('*'))
            AddPattern(rule.Executables, line, "exe", value);
        else
            Fail(line, $"exe \"{value}\": an absolute path, or a pattern for one, is expected");
    }

    private void AddPattern(List<PathPattern> patterns, int line, string kind, string value)
    {
        if (PathPattern.TryParse(value, out string error) is PathPattern pattern)
            patterns.Add(pattern);
        else
            Fail(line, $"{kind}: {error}");
    }

    private void AddDigest(PolicyRule rule, int line, string value)
    {
        if (value.Length == DigestLength && value.All(char.IsAsciiHexDigit))
            rule.Digests.Add(value.ToLowerInvariant());
        else
            Fail(line, $"sha256 \"{value}\": {DigestLength} hexadecimal digits are expected");
    }

    private void AddAccount(List<uint> ids, int line, string kind, string value, Func<string, uint?> find)
    {
        uint? id = uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : find(value);
        if (id is uint found)
            ids.Add(found);
        else
            Fail(line, $"{kind} \"{value}\": there is none of that name here; a number would do");
    }

    private string? Value(int line, List<string> words, int at)
    {
        if (at + 1 < words.Count)
            return words[at + 1];
        Fail(line, $"nothing follows on \"{words[at]}\"");
        return null;
    }

    private static PolicyAction? ActionOf(string word) => word switch
    {
        "allow" => PolicyAction.Allow,
        "audit" => PolicyAction.Audit,
        "ciphertext" => PolicyAction.Ciphertext,
        "deny" => PolicyAction.Deny,
        _ => null,
    };

    private void Fail(int line, string message) => _errors.Add(new PolicyError(line, message));
}
