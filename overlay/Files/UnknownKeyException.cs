using System;

namespace Overlay.Files;

/// <summary>A file was given a new key since it was opened (overlay-ctl rekey), and whoever has it was not to be asked at this moment.</summary>
internal sealed class UnknownKeyException() : Exception("the file was given another key");
