using System;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Store;

/// <summary>One way to unlock the volume key: the volume key wrapped under what a secret yields.</summary>
public sealed record KeySlotRow(
    int Id, SlotKind Kind, int KeyVersion, ReadOnlyMemory<byte> Salt, PassphraseCost? Cost, ReadOnlyMemory<byte> SecretCheck,
    ReadOnlyMemory<byte> WrappedKey, DateTimeOffset Created, string Label);
