using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Overlay.Ctl.Keys.Pkcs11;

/// <summary>
/// A PKCS #11 URI (RFC 7512) of a key: token, serial, manufacturer, model of the token; object and id of the key; module-path and pin-source
/// behind '?'. A PIN in it is refused.
/// </summary>
internal sealed class TokenUri
{
    private const string Scheme = "pkcs11:", DefaultModule = "p11-kit-proxy.so";
    private static readonly string[] s_known = ["token", "serial", "manufacturer", "model", "object", "id", "type", "module-path", "pin-source"];

    private readonly Dictionary<string, byte[]> _values;

    private TokenUri(string text, Dictionary<string, byte[]> values)
    {
        Text = text;
        _values = values;
    }

    internal string Text { get; }

    /// <summary>Without what holds on this machine alone.</summary>
    internal string Name => Text.Split('?')[0];

    internal byte[]? Id => _values.GetValueOrDefault("id");

    internal byte[]? Label => _values.GetValueOrDefault("object");

    internal string Module => TextOf("module-path") ?? Environment.GetEnvironmentVariable("OVERLAY_PKCS11_MODULE") ?? DefaultModule;

    /// <summary>A file with the PIN.</summary>
    internal string? PinSource => TextOf("pin-source") is string source ? source.StartsWith("file:", StringComparison.Ordinal) ? source["file:".Length..] : source : null;

    /// <exception cref="ControlException">It cannot be understood, names no key, or has a PIN in it.</exception>
    internal static TokenUri Parse(string text)
    {
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
            throw Wrong("it begins with pkcs11:, for example 'pkcs11:token=vault;object=key'");
        Dictionary<string, byte[]> values = [];
        string[] parts = text[Scheme.Length..].Split('?', 2);
        IEnumerable<string> pairs = parts[0].Split(';').Concat(parts.Length > 1 ? parts[1].Split('&') : []);
        foreach (string pair in pairs.Where(pair => pair.Length > 0))
        {
            string[] sides = pair.Split('=', 2);
            if (sides[0] == "pin-value")
                throw Wrong("a PIN does not belong into it, since others see arguments; give --pin-file, or a terminal to ask at");
            if (sides.Length != 2 || !s_known.Contains(sides[0]) || !values.TryAdd(sides[0], Decode(sides[1])))
                throw Wrong($"'{sides[0]}' is not known, has no value, or is there twice");
        }
        if (!values.ContainsKey("object") && !values.ContainsKey("id"))
            throw Wrong("it names no key: object or id is needed");
        return new TokenUri(text, values);
    }

    internal bool Fits(in TokenInfo token) => Fits("token", token.Label) && Fits("serial", token.Serial) && Fits("manufacturer", token.Manufacturer) && Fits("model", token.Model);

    private bool Fits(string name, string value) => TextOf(name) is not string wanted || wanted == value;

    private string? TextOf(string name) => _values.GetValueOrDefault(name) is byte[] value ? Encoding.UTF8.GetString(value) : null;

    private static byte[] Decode(string text)
    {
        List<byte> bytes = [];
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
                bytes.AddRange(Encoding.UTF8.GetBytes(text[i].ToString()));
            else if (i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
                bytes.Add(Convert.ToByte(text.Substring((i += 2) - 1, 2), 16));
            else
                throw Wrong("'%' is followed by two hexadecimal digits");
        }
        return [.. bytes];
    }

    private static ControlException Wrong(string why) => new(ExitCodes.Usage, $"--pkcs11: {why}.");
}
