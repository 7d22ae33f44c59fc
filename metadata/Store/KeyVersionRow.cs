using System;

namespace Overlay.Metadata.Store;

/// <summary>One generation of the volume key. The check value tells a right volume key from a wrong one.</summary>
public sealed record KeyVersionRow(int Version, KeyVersionState State, DateTimeOffset Created, ReadOnlyMemory<byte> CheckValue);
