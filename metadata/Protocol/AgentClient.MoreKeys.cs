using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Protocol;

/// <summary>Keys that are asked for ahead: the answers come before, or in place of, the one that a later call waits for.</summary>
public sealed partial class AgentClient
{
    /// <summary>Who gets the keys that were asked for ahead, in the order of the answers.</summary>
    private readonly Queue<(uint Request, KeyTaker Take)> _more = new();

    /// <summary>How often more was asked for ahead that has not been taken.</summary>
    public int MoreUnderWay => _more.Count;

    /// <summary>
    /// Asks for the keys of files that may be wanted next, without waiting: <paramref name="take"/> gets them in a later call, from whichever thread makes
    /// that. Nothing is asked where the agent has too much to read, or is too old to answer.
    /// </summary>
    public void AskForMore(ReadOnlySpan<byte> volumeId, int most, KeyTaker take)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(volumeId.Length, AgentMessage.VolumeIdSize);
        if (_version < AgentMessage.VersionWithMoreKeys)
            return;
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.MoreKeys);
            request.Bytes(volumeId);
            request.UInt16((ushort)Math.Min(most, AgentMessage.MaxKeysPerRequest));
            int error = PacketSocket.Send(_descriptor, _buffer.Bytes[..request.Length], SocketCalls.DoNotWait);
            if (error == Errno.TryAgain)
                return;
            if (error != 0)
                throw Errno.Failure(error, "writing to the agent");
            _more.Enqueue((_lastRequest, take));
        }
    }

    /// <summary>Takes the next answer to what was asked for ahead, and waits for it if need be. False: nothing was asked for.</summary>
    public bool TakeMore(out bool hasWaited)
    {
        hasWaited = false;
        lock (_oneCallAtATime)
        {
            int underWay = _more.Count;
            if (underWay == 0)
                return false;
            long deadline = Environment.TickCount64 + TimeoutMilliseconds;
            while (_more.Count == underWay)
            {
                PacketSocket.CloseIfOpen(ref _lent);
                int length = PacketSocket.Receive(_descriptor, _buffer.Bytes, out _lent);
                if (length <= 0)
                {
                    hasWaited = true;
                    length = ClientSocket.Receive(_descriptor, _buffer.Bytes, deadline, out _lent);
                }
                TakeIfMore(Read(length));
            }
            return true;
        }
    }

    /// <summary>Where the agent could not read them there are none: whoever needs one of them asks for it, and is told.</summary>
    private void TakeIfMore(PacketReader reply)
    {
        if (_more.Count == 0 || reply.Request != _more.Peek().Request || reply.Kind != (AgentMessage.MoreKeys | AgentMessage.ReplyBit))
            return;
        KeyTaker take = _more.Dequeue().Take;
        try
        {
            int count = reply.Status == 0 ? reply.UInt16() : 0;
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> id = reply.Bytes(AgentMessage.FileIdSize), key = reply.Bytes(AgentMessage.KeySize);
                Expect(!key.IsEmpty);
                take(id, key);
            }
            Expect(reply.IsComplete);
        }
        finally
        {
            Secret.Wipe(_buffer.Bytes);
        }
    }
}
