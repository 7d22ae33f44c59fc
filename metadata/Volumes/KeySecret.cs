using System;
using System.IO;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Keys;

namespace Overlay.Metadata.Volumes;

/// <summary>What opens a key slot: the bytes of a passphrase or of a key file. Wiped when disposed of.</summary>
public sealed class KeySecret : IDisposable
{
    public const int MinKeyFileSize = 32, MaxKeyFileSize = 16 * 1024 * 1024;

    private readonly SecretMemory _memory;
    private readonly int _length;

    private KeySecret(SlotKind kind, SecretMemory memory, int length)
    {
        Kind = kind;
        _memory = memory;
        _length = length;
    }

    public SlotKind Kind { get; }

    /// <summary>Of a token that is to open a new slot: where it is, and what it opens.</summary>
    internal string Token { get; private init; } = "";

    internal byte[] TokenData { get; private init; } = [];

    private Func<ReadOnlyMemory<byte>, byte[]?>? OpenByToken { get; init; }

    private IDisposable? Session { get; init; }

    internal ReadOnlySpan<byte> Bytes => _memory.Bytes[.._length];

    /// <summary>Copies the passphrase (UTF-8); the caller wipes its own.</summary>
    public static KeySecret FromPassphrase(ReadOnlySpan<byte> passphraseUtf8)
    {
        if (passphraseUtf8.IsEmpty)
            throw new VolumeException(VolumeError.UnusableKey, "The passphrase is empty.");
        return Copy(SlotKind.Passphrase, passphraseUtf8);
    }

    /// <summary>A token that slots are tried with.</summary>
    /// <param name="open">What it makes of a slot's data; null: they are not for it.</param>
    /// <param name="session">Disposed of with this.</param>
    internal static KeySecret FromToken(Func<ReadOnlyMemory<byte>, byte[]?> open, IDisposable session) =>
        new(SlotKind.Token, new SecretMemory(1), 0) { OpenByToken = open, Session = session };

    /// <summary>For a new slot: a secret, and the data that the token at <paramref name="uri"/> makes it of. The caller wipes its own.</summary>
    internal static KeySecret NewOfToken(string uri, ReadOnlySpan<byte> secret, byte[] data)
    {
        SecretMemory memory = new(secret.Length);
        secret.CopyTo(memory.Bytes);
        return new KeySecret(SlotKind.Token, memory, secret.Length) { Token = uri, TokenData = data };
    }

    /// <summary>The secret of a slot of the kind token; the caller wipes it. Null: the slot is not for this token.</summary>
    internal byte[]? TryOpenToken(ReadOnlyMemory<byte> data) => OpenByToken?.Invoke(data);

    /// <summary>An X25519 private key, 32 bytes; the caller wipes its own.</summary>
    public static KeySecret FromIdentity(ReadOnlySpan<byte> privateKey)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(privateKey.Length, RecipientSeal.KeySize);
        return Copy(SlotKind.Recipient, privateKey);
    }

    /// <summary>Reads an identity file: the first line that does not begin with #.</summary>
    public static KeySecret FromIdentityFile(string path)
    {
        using KeySecret text = FromKeyFile(path);
        byte[] privateKey = RecipientText.TryFindPrivate(text.Bytes)
            ?? throw new VolumeException(VolumeError.UnusableKey, $"{path} is not an identity file, or a character of it is wrong.");
        try
        {
            return FromIdentity(privateKey);
        }
        finally
        {
            Secret.Wipe(privateKey);
        }
    }

    /// <summary>Reads a key file: any file, pipe or device of 32 bytes to 16 MiB, every byte of which counts.</summary>
    public static KeySecret FromKeyFile(string path)
    {
        int descriptor = FileCalls.Open(path, FileCalls.ReadOnly | FileCalls.CloseOnExec, 0);
        if (descriptor < 0)
            throw new VolumeException(VolumeError.UnusableKey, $"The key file {path} cannot be opened: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(Errno.Last)}.");
        try
        {
            return ReadAll(descriptor, path);
        }
        finally
        {
            _ = FileCalls.Close(descriptor);
        }
    }

    public void Dispose()
    {
        Session?.Dispose();
        _memory.Dispose();
    }

    private static unsafe KeySecret ReadAll(int descriptor, string path)
    {
        SecretMemory memory = new(4096);
        int length = 0;
        while (true)
        {
            if (length == memory.Bytes.Length)
                memory = Grow(memory, path);
            nint read;
            fixed (byte* rest = memory.Bytes[length..])
                read = FileCalls.Read(descriptor, rest, (nuint)(memory.Bytes.Length - length));
            if (read < 0 && Errno.Last == Errno.Interrupted)
                continue;
            if (read <= 0)
                return Finish(memory, length, path, read < 0 ? Errno.Last : 0);
            length += (int)read;
        }
    }

    private static KeySecret Finish(SecretMemory memory, int length, string path, int errno)
    {
        if (errno == 0 && length >= MinKeyFileSize)
            return new KeySecret(SlotKind.KeyFile, memory, length);
        memory.Dispose();
        throw new VolumeException(VolumeError.UnusableKey, errno != 0
            ? $"The key file {path} cannot be read: errno {errno}."
            : $"The key file {path} has {length} bytes; a key has at least {MinKeyFileSize}.");
    }

    private static SecretMemory Grow(SecretMemory memory, string path)
    {
        using SecretMemory old = memory;
        int size = old.Bytes.Length;
        if (size >= MaxKeyFileSize)
            throw new VolumeException(VolumeError.UnusableKey, $"The key file {path} is larger than {MaxKeyFileSize} bytes.");
        SecretMemory larger = new(size * 2);
        old.Bytes.CopyTo(larger.Bytes);
        return larger;
    }

    private static KeySecret Copy(SlotKind kind, ReadOnlySpan<byte> bytes)
    {
        SecretMemory memory = new(bytes.Length);
        bytes.CopyTo(memory.Bytes);
        return new KeySecret(kind, memory, bytes.Length);
    }
}
