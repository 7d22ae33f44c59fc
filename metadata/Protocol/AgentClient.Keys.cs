using System;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Policy;

namespace Overlay.Metadata.Protocol;

/// <summary>Keys: of files that are there, and for files to come.</summary>
public sealed partial class AgentClient
{
    /// <summary>The key of a file. False: the store has no such key, the file cannot be read by anyone.</summary>
    public bool TryGetKey(ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId, Span<byte> key32)
    {
        byte[] answer = GC.AllocateUninitializedArray<byte>(AgentMessage.KeySize, pinned: true);
        bool isKnown = TryGetKeys(volumeId, fileId, 1, (_, key) => key.CopyTo(answer));
        if (isKnown)
            answer.CopyTo(key32);
        Secret.Wipe(answer);
        return isKnown;
    }

    /// <summary>Has the store a key of that file? Whoever may not have it is told as well.</summary>
    public bool HasKey(ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId)
    {
        CheckIds(volumeId, fileId);
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.GetKeys);
            request.Bytes(volumeId);
            request.Bytes(fileId);
            request.UInt16(AgentMessage.IsThereAKey);
            PacketReader reply = Call(request, out int failure);
            if (failure == Errno.NoEntry)
                return false;
            if (failure != 0)
                throw Errno.Failure(failure, "asking whether there is a file's key");
            Expect(reply.UInt16() == 0 && reply.IsComplete);
            return true;
        }
    }

    /// <summary>
    /// The key of a file, and those of files that were made about the same time, which are likely to be read next; at most
    /// <paramref name="most"/>, the file's own first. 0: those of the file alone, two while it is given another. False: the store has no such key.
    /// EDESTADDRREQ: the file's descriptor is needed, because of a policy, which answers EKEYREJECTED if it does not allow it.
    /// </summary>
    /// <param name="file">A descriptor of it that can be read, or -1.</param>
    public bool TryGetKeys(ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId, int most, KeyTaker take, int file = -1)
    {
        ArgumentNullException.ThrowIfNull(take);
        CheckIds(volumeId, fileId);
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.GetKeys);
            request.Bytes(volumeId);
            request.Bytes(fileId);
            request.UInt16((ushort)Math.Min(most, AgentMessage.MaxKeysPerRequest));
            try
            {
                PacketReader reply = Call(request, out int failure, file);
                if (failure == Errno.NoEntry)
                    return false;
                if (failure != 0)
                    throw Errno.Failure(failure, "asking for files' keys");
                int count = reply.UInt16();
                bool wantsAll = most == 0;
                Expect(count >= 1 && count <= (wantsAll ? 2 : most));
                for (int i = 0; i < count; i++)
                {
                    ReadOnlySpan<byte> id = reply.Bytes(AgentMessage.FileIdSize), key = reply.Bytes(AgentMessage.KeySize);
                    Expect(!key.IsEmpty && ((i > 0 && !wantsAll) || id.SequenceEqual(fileId)));
                    take(id, key);
                }
                Expect(reply.IsComplete);
                return true;
            }
            finally
            {
                Secret.Wipe(_buffer.Bytes);
            }
        }
    }

    /// <summary>Keys for files to come, at most <paramref name="count"/>; their rows are durable.</summary>
    /// <returns>How many entries of <paramref name="keys"/> were filled, at least 1.</returns>
    public int TakeNewKeys(ReadOnlySpan<byte> volumeId, int count, Span<GrantedKey> keys)
    {
        CheckIds(volumeId, volumeId);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, keys.Length);
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.TakeNewKeys);
            request.Bytes(volumeId);
            request.UInt16((ushort)Math.Min(count, AgentMessage.MaxKeysPerRequest));
            try
            {
                PacketReader reply = Call(request, out int failure);
                if (failure != 0)
                    throw Errno.Failure(failure, "asking for keys for new files");
                int granted = reply.UInt16();
                Expect(granted >= 1 && granted <= count);
                for (int i = 0; i < granted; i++)
                    keys[i] = TakeKey(ref reply);
                Expect(reply.IsComplete);
                return granted;
            }
            finally
            {
                Secret.Wipe(_buffer.Bytes);
            }
        }
    }

    /// <summary>A key for the new file behind a descriptor, and how that is to be stored. EKEYREJECTED: a policy does not allow it.</summary>
    public GrantedKey TakeNewKey(ReadOnlySpan<byte> volumeId, int file, out FileSettings settings)
    {
        CheckIds(volumeId, volumeId);
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.TakeNewKeys);
            request.Bytes(volumeId);
            request.UInt16(1);
            try
            {
                PacketReader reply = Call(request, out int failure, file);
                if (failure != 0)
                    throw Errno.Failure(failure, "asking for a key for a new file");
                Expect(reply.UInt16() == 1);
                GrantedKey granted = TakeKey(ref reply);
                byte suite = reply.Byte();
                settings = new FileSettings((CipherSuite)suite, reply.Byte() != 0, reply.Byte());
                _ = reply.Byte();
                Expect(reply.IsComplete && CipherSuites.IsKnown(suite) && settings.BlockSizeLog2 is >= 12 and <= 20);
                return granted;
            }
            finally
            {
                Secret.Wipe(_buffer.Bytes);
            }
        }
    }

    private GrantedKey TakeKey(ref PacketReader reply)
    {
        int derivedSize = _version >= AgentMessage.VersionWithDerived ? DataKey.DerivedSize : 0;
        ReadOnlySpan<byte> fileId = reply.Bytes(AgentMessage.FileIdSize);
        ReadOnlySpan<byte> key = reply.Bytes(AgentMessage.KeySize);
        ReadOnlySpan<byte> derived = reply.Bytes(derivedSize);
        Expect(!key.IsEmpty && derived.Length == derivedSize);
        return new GrantedKey(fileId, key, derived);
    }
}
