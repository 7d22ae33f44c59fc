using System;

namespace Overlay.Metadata.Protocol;

/// <summary>What the agent is told and does not answer.</summary>
public sealed partial class AgentClient
{
    /// <summary>
    /// Tells the agent that files with these ids now exist, and where (relative to the volume's root). One way: nothing is
    /// awaited, and a path too long to send is sent as "".
    /// </summary>
    public void NoteCreated(ReadOnlySpan<byte> volumeId, ReadOnlySpan<(byte[] FileId, string Path)> files)
    {
        CheckIds(volumeId, volumeId);
        lock (_oneCallAtATime)
        {
            for (int i = 0; i < files.Length;)
            {
                PacketWriter notes = Begin(AgentMessage.NoteCreated);
                notes.Bytes(volumeId);
                for (; i < files.Length && notes.Length <= AgentMessage.MaxPacket - AgentMessage.MaxText - 2 * AgentMessage.FileIdSize; i++)
                {
                    notes.Bytes(files[i].FileId);
                    if (!notes.TryText(files[i].Path))
                        _ = notes.TryText("");
                }
                ClientSocket.Send(_descriptor, _buffer.Bytes[..notes.Length]);
            }
        }
    }

    /// <summary>Tells the agent how far files have come, and how often their keys were used for it. One way; at most <see cref="AgentMessage.MaxStates"/> of them.</summary>
    /// <param name="bootWord">Of this boot (format §7).</param>
    public void NoteStates(ReadOnlySpan<byte> volumeId, uint bootWord, ReadOnlySpan<FileSequence> states)
    {
        CheckIds(volumeId, volumeId);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(states.Length, AgentMessage.MaxStates);
        lock (_oneCallAtATime)
        {
            PacketWriter note = Begin(AgentMessage.NoteUses);
            note.Bytes(volumeId);
            note.UInt32(bootWord);
            note.UInt16((ushort)states.Length);
            foreach (FileSequence state in states)
            {
                note.Bytes(state.FileId);
                note.UInt64(state.Sequence);
                note.UInt32(state.Seals);
            }
            ClientSocket.Send(_descriptor, _buffer.Bytes[..note.Length]);
        }
    }

    /// <summary>Lets the agent read what this process counts (<see cref="CounterSlots"/>). One way.</summary>
    public void ShareCounters(int descriptor)
    {
        lock (_oneCallAtATime)
            ClientSocket.SendWithDescriptor(_descriptor, _buffer.Bytes[..Begin(AgentMessage.Counters).Length], descriptor);
    }
}
