using System;

namespace Overlay.Metadata.Volumes;

/// <summary>A volume or its store refuses; <see cref="Error"/> says why, the message says it to a person.</summary>
public sealed class VolumeException : Exception
{
    public VolumeException(VolumeError error, string message, Exception? innerException = null)
        : base(message, innerException) => Error = error;

    public VolumeError Error { get; }
}
