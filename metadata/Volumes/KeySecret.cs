using System;
using System.IO;
using Overlay.Crypto;
using Overlay.Metadata.Interop;

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

    internal ReadOnlySpan<byte> Bytes => _memory.Bytes[.._length];

    /// <summary>Copies the passphrase (UTF-8); the caller wipes its own.</summary>
    public static KeySecret FromPassphrase(ReadOnlySpan<byte> passphraseUtf8)
    {
        if (passphraseUtf8.IsEmpty)
            throw new VolumeException(VolumeError.UnusableKey, "The passphrase is empty.");
        return Copy(SlotKind.Passphrase, passphraseUtf8);
    }

    /// <summary>Reads a key file: any file, pipe or device of 32 bytes to 16 MiB, every byte of which counts.</summary>
    public static KeySecret FromKeyFile(string path)
    {
        int descriptor = FileCalls.Open(path, FileCalls.ReadOnly | FileCalls.CloseOnExec, 0);
        if (descriptor < 0)
            throw new VolumeException(VolumeError.UnusableKey, $"The key file {path} cannot be opened: errno {Errno.Last}.");
        try
        {
            return ReadAll(descriptor, path);
        }
        finally
        {
            _ = FileCalls.Close(descriptor);
        }
    }

    public void Dispose() => _memory.Dispose();

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
