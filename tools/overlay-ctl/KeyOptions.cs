using System;
using System.CommandLine;
using System.IO;
using Microsoft.Win32.SafeHandles;
using Overlay.Crypto;
using Overlay.Ctl.Keys;
using Overlay.Ctl.Keys.Pkcs11;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl;

/// <summary>How a key is given: a file, a passphrase's file or descriptor, or a prompt; never an argument.</summary>
/// <param name="prefix">In front of the options' names, where a command takes two keys.</param>
internal sealed class KeyOptions(string prefix = "")
{
    private const int LongestPassphrase = 4096;

    internal Option<string?> KeyFile { get; } = new($"--{prefix}key-file")
    {
        Description = prefix.Length == 0 ? "File of at least 32 bytes that unlocks the volume." : "File of at least 32 bytes that shall unlock the volume; made if there is none.",
        HelpName = "FILE",
    };

    internal Option<string?> PassphraseFile { get; } = new($"--{prefix}passphrase-file") { Description = "File whose first line is the passphrase.", HelpName = "FILE" };

    internal Option<int?> PassphraseDescriptor { get; } = new($"--{prefix}passphrase-fd") { Description = "Open descriptor to read the passphrase from.", HelpName = "N" };

    /// <summary>Only where a volume is unlocked: to add a recipient its public key is enough.</summary>
    private Option<string?> Identity { get; } = new("--identity") { Description = "Identity file of a recipient (key recipient new, recovery combine).", HelpName = "FILE" };

    private Option<string?> Token { get; } = new($"--{prefix}pkcs11")
    {
        Description = "RSA key of a PKCS #11 token, as a URI: pkcs11:token=NAME;object=KEY?module-path=FILE.", HelpName = "URI",
    };

    private Option<string?> PinFile { get; } = new($"--{prefix}pin-file") { Description = "File whose first line is the token's PIN.", HelpName = "FILE" };

    internal void AddTo(Command command)
    {
        if (prefix.Length == 0)
            command.Add(Identity);
        command.Add(KeyFile);
        command.Add(PassphraseFile);
        command.Add(PassphraseDescriptor);
        command.Add(Token);
        command.Add(PinFile);
    }

    /// <param name="isNew">Makes a key file that does not exist; asks twice at the prompt.</param>
    internal KeySecret Read(ParseResult parsed, bool isNew = false)
    {
        if (prefix.Length == 0 && parsed.GetResult(Identity) is not null && parsed.GetValue(Identity) is string identity)
            return KeySecret.FromIdentityFile(identity);
        if (parsed.GetValue(KeyFile) is string keyFile)
        {
            if (isNew && !File.Exists(keyFile))
                NewKeyFile.Make(keyFile);
            KeyFileMode.Check(keyFile);
            return KeySecret.FromKeyFile(keyFile);
        }
        if (parsed.GetValue(Token) is string token)
            return OfToken(TokenUri.Parse(token), parsed.GetValue(PinFile), isNew);
        byte[] passphrase = parsed.GetValue(PassphraseFile) is string file ? FromFile(file)
            : parsed.GetValue(PassphraseDescriptor) is int descriptor ? FromDescriptor(descriptor)
            : Prompt(prefix, isNew);
        try
        {
            return KeySecret.FromPassphrase(passphrase);
        }
        finally
        {
            Secret.Wipe(passphrase);
        }
    }

    private KeySecret OfToken(TokenUri uri, string? pinFile, bool isNew)
    {
        string? file = pinFile ?? uri.PinSource;
        if (file is null && Console.IsInputRedirected)
            throw new ControlException(ExitCodes.Usage, $"no PIN: give --{prefix}pin-file, or a terminal to ask at.");
        byte[] pin = file is not null ? FromFile(file) : SecretPrompt.Ask("PIN of the token: ");
        try
        {
            return isNew ? TokenSecret.Make(uri, pin) : TokenSecret.Open(uri, pin);
        }
        finally
        {
            Secret.Wipe(pin);
        }
    }

    private static byte[] FromFile(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return FromStream(stream);
    }

    private static byte[] FromDescriptor(int descriptor)
    {
        if (descriptor < 0)
            throw new ControlException(ExitCodes.Usage, $"passphrase descriptor {descriptor}: a descriptor is not negative.");
        using FileStream stream = new(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        return FromStream(stream);
    }

    /// <summary>Never more than a passphrase's length: it may be a device that does not end.</summary>
    private static byte[] FromStream(FileStream stream)
    {
        byte[] buffer = new byte[LongestPassphrase];
        int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        byte[] line = FirstLine(buffer[..length]);
        Secret.Wipe(buffer);
        return line;
    }

    private static byte[] FirstLine(byte[] text)
    {
        int end = Array.IndexOf(text, (byte)'\n');
        byte[] line = text[..(end < 0 ? text.Length : end)];
        Secret.Wipe(text);
        return line;
    }

    private static byte[] Prompt(string prefix, bool isNew)
    {
        if (Console.IsInputRedirected)
            throw new ControlException(ExitCodes.Usage, $"no key: give --{prefix}key-file, --{prefix}passphrase-file or --{prefix}passphrase-fd, or a terminal to ask at.");
        byte[] passphrase = SecretPrompt.Ask(isNew ? "New passphrase: " : "Passphrase: ");
        if (!isNew)
            return passphrase;
        byte[] again = SecretPrompt.Ask("Again: ");
        bool isSame = Secret.Same(passphrase, again);
        Secret.Wipe(again);
        if (isSame)
            return passphrase;
        Secret.Wipe(passphrase);
        throw new ControlException(ExitCodes.Key, "the two passphrases differ; nothing was done. Run the same command again.");
    }
}
